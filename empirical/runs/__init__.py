"""One run in its directory: layout of files, typed result, resume."""
