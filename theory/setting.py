"""The validated setting of section 4.2: what each symbol of the paper may be, in one place.

`Setting` serves the command line (epsilon and delta in (0, 1), as Theorem 1 means them). The checks below it serve the
formulas, which take arrays, broadcast them, and give scalars for scalars.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of section 4.2 of the paper; `None` means not given. Raises InputError outside the ranges.

    dimension d >= 2; epsilon, delta in (0, 1); tau > 0, the variance of the local Gaussian; data_size n >= 1, a whole
    number; teacher_epsilon in [0, 1]; trust_radius R > 0, the radius inside which the teacher is trusted.
    """

    dimension: int = 2
    epsilon: float | None = None
    delta: float | None = None
    tau: float | None = None
    data_size: float | None = None
    teacher_epsilon: float | None = None
    trust_radius: float | None = None

    def __post_init__(self) -> None:
        check_dimension(self.dimension, least=2)
        for name, value in (("epsilon", self.epsilon), ("delta", self.delta)):
            if value is not None:
                _checked(name, value, lambda x: (x > 0) & (x < 1), "a number in (0, 1)")
        if self.tau is not None:
            check_tau(self.tau)
        if self.data_size is not None:
            allowed = "a whole number >= 1"
            _checked("data_size", self.data_size, lambda x: (x >= 1) & (x == np.floor(x)), allowed)
        if self.teacher_epsilon is not None:
            check_teacher_epsilon(self.teacher_epsilon)
        if self.trust_radius is not None:
            check_trust_radius(self.trust_radius)


def check_dimension(value: npt.ArrayLike, *, least: int = 1) -> Floats:
    """d as floats: whole numbers >= `least` (2 for what is printed; the repaired theorem holds from 1)."""
    allowed = f"a whole number >= {least}"
    return _checked("dimension", value, lambda x: (x >= least) & (x == np.floor(x)), allowed)


def check_tau(value: npt.ArrayLike) -> Floats:
    """tau > 0, the variance of the local Gaussian."""
    return _checked("tau", value, lambda x: x > 0, "a finite variance > 0")


def check_log_tau(value: npt.ArrayLike) -> Floats:
    """ln tau, for variances beyond double precision."""
    return _checked("log_tau", value, lambda x: x == x, "a finite number")


def check_data_size(value: npt.ArrayLike) -> Floats:
    """n >= 1; between whole numbers the formulas interpolate."""
    return _checked("data_size", value, lambda x: x >= 1, "a number >= 1")


def check_log_data_size(value: npt.ArrayLike) -> Floats:
    """ln n >= 0, for data sizes beyond double precision."""
    return _checked("log_data_size", value, lambda x: x >= 0, "the logarithm of a number >= 1")


def check_epsilon(value: npt.ArrayLike) -> Floats:
    """An L1 accuracy in (0, 2): an L1 distance of two distributions is at most 2."""
    return _checked("epsilon", value, lambda x: (x > 0) & (x < 2), "a number in (0, 2)")


def check_delta(value: npt.ArrayLike) -> Floats:
    """A failure probability in (0, 1)."""
    return _checked("delta", value, lambda x: (x > 0) & (x < 1), "a number in (0, 1)")


def check_teacher_epsilon(value: npt.ArrayLike) -> Floats:
    """sup |g - f| where the teacher is trusted, in [0, 1]."""
    return _checked("teacher_epsilon", value, lambda x: (x >= 0) & (x <= 1), "a number in [0, 1]")


def check_trust_radius(value: npt.ArrayLike) -> Floats:
    """R > 0; infinity is a teacher trusted everywhere."""
    array = np.asarray(value, dtype=float)
    bad = ~(array > 0)
    if np.any(bad):
        raise InputError("trust_radius", array[bad].flat[0].item(), "a number > 0 (inf: trusted everywhere)")
    return array


def flat(*values: Floats) -> tuple[tuple[int, ...], list[Floats]]:
    """The common shape of `values` and each of them broadcast to it, as one row."""
    arrays = np.broadcast_arrays(*values)
    return arrays[0].shape, [np.ravel(array) for array in arrays]


def _checked(name: str, value: npt.ArrayLike, holds: Callable[[Floats], npt.ArrayLike], allowed: str) -> Floats:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(name, value, allowed) from None
    bad = ~(np.isfinite(array) & holds(array))
    if np.any(bad):
        found = array[bad].flat[0].item()
        raise InputError(name, int(found) if found == np.floor(found) and abs(found) < 2**53 else found, allowed)
    return array
