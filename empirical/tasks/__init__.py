"""The data sets: GLUE, biomedical relation extraction, tweets and files of one's own, one module each."""
