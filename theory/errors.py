"""The one error that a user's mistake raises, on every floor: what was given, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A user's mistake, told in one line: the argument (or file and line), the value found, the values allowed.

    The command line prints it and exits with status 2. Programming errors stay `assert` or ordinary exceptions.
    """

    def __init__(self, argument: str, found: object, allowed: str) -> None:
        self.argument, self.found, self.allowed = argument, found, allowed
        super().__init__(f"{argument}: found {found!r}; allowed: {allowed}")

    def __reduce__(self) -> tuple[type[InputError], tuple[str, object, str]]:
        return type(self), (self.argument, self.found, self.allowed)


def unknown_name(argument: str, found: str, known: Iterable[str]) -> InputError:
    """The error for a name that does not exist, with the nearest names that do."""
    names = sorted(known)
    near = difflib.get_close_matches(found, names, n=3, cutoff=0.5)
    hint = f" (nearest: {', '.join(near)})" if near else ""
    return InputError(argument, found, f"one of {', '.join(names)}{hint}")


def missing_extra(package: str, extra: str) -> InputError:
    """The error for an optional package that is not installed, with the command that installs it."""
    return InputError(f"package {package}", "not installed", f"pip install 'kdshift[{extra}]'")
