"""kdshift: where theorem, simulation and real distillation meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kdshift.distiller import AugmentingCollator, Distiller

__version__ = "0.1.0"
__all__ = ["AugmentingCollator", "Distiller", "__version__"]


def __getattr__(name: str) -> Any:
    """The Python door, opened when it is used: the command line must not wait for scikit-learn and torch."""
    if name in ("AugmentingCollator", "Distiller"):
        from kdshift import distiller

        return getattr(distiller, name)
    raise AttributeError(f"module 'kdshift' has no attribute {name!r}")
