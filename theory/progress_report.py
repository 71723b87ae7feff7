"""How long work says how far it is, on every floor: the command line shows it, libraries only call it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with the name of a stage of the work, how much of it is done, and how much there is in all.

    A stage begins with its first call and ends with `done` equal to `total`; a smaller `done` than before begins it
    anew. Stages may overlap. It is cheap to call, from one thread at a time.
    """

    def __call__(self, label: str, done: float, total: float, /) -> None: ...
