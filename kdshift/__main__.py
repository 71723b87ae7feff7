"""`python -m kdshift`."""

from kdshift.cli import main

if __name__ == "__main__":
    main()
