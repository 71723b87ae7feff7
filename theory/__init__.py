"""The setting, Theorem 1 as printed, the audit of its proof, the theorem that holds, the risk curve in tau.

Rooms: `theory.printed`, `theory.audit`, `theory.repaired`, `theory.risk`, `theory.degree`, `theory.inference` (what
curves say), `theory.formula`, `theory.bound_figures`; the mathematics with its proofs is in PROOFS.md. The names
below load when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "InputError": "errors",
    "Optimum": "inference.curve",
    "PowerLaw": "inference.power_law",
    "Setting": "setting",
    "ShiftErrorCurve": "inference.curve",
    "power_law": "inference.power_law",
}
__all__ = ["InputError", "Optimum", "PowerLaw", "Setting", "ShiftErrorCurve", "power_law"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'theory' has no attribute {name!r}")
    return getattr(import_module(f"theory.{_HOME[name]}"), name)
