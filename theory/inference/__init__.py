"""What a set of shift-error curves says: optimum, contrasts, verdicts, for theory, simulation, text and paper alike."""
