"""What a fit has finished, kept stage by stage, so that the next call goes on where this one stopped.

DIR/work/<digest of texts and options>/<stage>.npz, <stage>.json
"""

from __future__ import annotations

import json
import logging
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.files import replacing, write_atomically

logger = logging.getLogger(__name__)


@dataclass
class Stages:
    """Kept results of one fit in one folder; a file that cannot be read counts as not there."""

    folder: Path

    def arrays(self, name: str) -> dict[str, NDArray[Any]] | None:
        """The arrays of a finished stage."""
        try:
            with np.load(self.folder / f"{name}.npz", allow_pickle=False) as kept:
                return {key: kept[key] for key in kept.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            logger.warning("%s/%s.npz is damaged (%s); it is made anew", self.folder, name, error)
            return None

    def keep_arrays(self, name: str, **arrays: NDArray[Any]) -> None:
        """Keep arrays, whole or not at all."""
        with replacing(self.folder / f"{name}.npz") as draft:
            np.savez(draft, **arrays)  # type: ignore[arg-type]  # a mapping of arrays is what it takes

    def facts(self, name: str) -> dict[str, Any] | None:
        """The facts of a finished stage."""
        try:
            found = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("%s/%s.json is damaged (%s); it is made anew", self.folder, name, error)
            return None
        return found if isinstance(found, dict) else None

    def keep_facts(self, name: str, facts: dict[str, Any]) -> None:
        """Keep facts, whole or not at all."""
        write_atomically(self.folder / f"{name}.json", json.dumps(facts))


@dataclass
class Clock:
    """The time a fit may take: seconds of this call, and of the calls before it that it goes on from."""

    minutes: float
    spent_before: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        return self.spent_before + time.monotonic() - self.began

    def until(self, share: float) -> float:
        """Seconds until this share of the whole is spent, at least a fiftieth of it: what is late is done in short."""
        whole = 60 * self.minutes
        return max(whole / 50, share * whole - self.spent)
