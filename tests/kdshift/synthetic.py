"""Results directories with known answers: what a sweep and a simulation would have written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

DEGREES = (0.0, 0.1, 0.3, 0.5, 0.8)
TAU = np.geomspace(0.003, 2.0, 9)


def text_frame(best: dict[tuple[str, str, int], float], noise: float = 2e-4, replicates: int = 4) -> pd.DataFrame:
    """A sweep's table whose error is a parabola in degree.

    best: (mode, augmenter, data size) -> the best degree.
    """
    rng, rows = np.random.default_rng(0), []
    sizes = sorted({(mode, size) for mode, _, size in best})
    for mode, size in sizes:
        for replicate in range(replicates):
            for (found_mode, augmenter, found_size), peak in best.items():
                if (found_mode, found_size) != (mode, size):
                    continue
                for degree in DEGREES:
                    if degree == 0 and augmenter != "knn":
                        continue
                    error = 0.25 + 0.2 * (degree - peak) ** 2 + noise * rng.standard_normal()
                    rows.append(row(mode, augmenter if degree else "none", size, degree, replicate, error))
    return pd.DataFrame(rows)


def row(mode: str, augmenter: str, size: int, degree: float, replicate: int, error: float) -> dict:
    """One finished run."""
    return {
        "run": f"{mode}-{augmenter}-{size}-{degree}-{replicate}", "group": "", "task": "tweets", "mode": mode,
        "augmenter": augmenter, "amount": "none" if augmenter == "none" else "online", "degree": degree,
        "data_fraction": size / 20_000, "data_size": float(size), "teacher": "minilm", "student": "bilstm",
        "learning_rate": 1e-3, "seed": replicate, "data_seed": replicate, "status": "finished", "reason": "",
        "metric": "accuracy", "score": 1 - error, "error": error, "error_se": 7e-5, "n_test": 4e7,
        "accuracy": 1 - error, "validation": 1 - error, "wall_seconds": 1.0, "steps": 10.0, "examples_seen": 320.0,
        "teacher_calls": 320.0, "realised_degree": degree, "teacher_gap": 0.1 + 0.1 * (degree - 0.3) ** 2,
    }  # fmt: skip


def write_text(results: Path, frame: pd.DataFrame) -> None:
    """Put a sweep's table where `kdshift compare` looks for it."""
    (results / "text").mkdir(parents=True, exist_ok=True)
    frame.to_parquet(results / "text" / "results.parquet", index=False)
