"""Label once, resample often: augmented copies of a pool of texts with the teacher's answers, on disk; curves on it."""
