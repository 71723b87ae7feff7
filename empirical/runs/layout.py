"""Every path and file name below a results folder: of a run, of a teacher, of a sweep (design: Results on disk).

ROOT/RUN/                a run's own folder, named by a readable slug and the digest of its configuration
ROOT/teachers/RUN/       the same for a teacher
ROOT/shared/             what runs share: kept teacher outputs, neighbour tables, translations
ROOT/sweeps/NAME/        a sweep's list of runs, its markers, its table
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from empirical.config import RunConfig

PREDICTIONS = "predictions.parquet"


def slug(text: str) -> str:
    """`text` as one harmless part of a path: lower-case letters, digits, dots, plus and dashes."""
    return re.sub(r"[^a-z0-9.+]+", "-", text.casefold()).strip("-.") or "x"


def model_slug(name: str, layers: Sequence[int] | None, architecture: str, fresh: bool) -> str:
    """A model's short name: `minilm.0.3`, `bilstm-minilm`, `fresh-bert-base-uncased`."""
    short = Path(name).name or name
    if layers is not None:
        short += "." + ".".join(map(str, layers))
    return "-".join(part for part in ("fresh" * fresh, architecture.replace("encoder", ""), short) if part)


def run_name(config: RunConfig) -> str:
    """The name of a run's folder: a readable slug and the digest of its configuration."""
    augment = config.augment
    shift = "plain"
    if augment is not None:
        copies = "" if augment.copies is None else f"x{augment.copies}"
        shift = f"{augment.augmenter}{copies}-{augment.degree:g}"
    student = config.student
    parts = (
        Path(config.task.name).stem if "/" in config.task.name else config.task.name,
        config.mode,
        f"n{config.data_size:g}",
        shift,
        model_slug(student.name, student.layers, student.architecture, student.fresh),
        f"lr{config.train.learning_rate:g}",
        f"s{config.seed}.{config.data_seed}",
    )
    return f"{slug('-'.join(parts))[:120]}-{config.digest()}"


def run_directory(config: RunConfig, root: Path) -> Path:
    """Where a run lives under `root`."""
    return Path(root) / run_name(config)


def run_place(config: RunConfig, root: Path) -> Path:
    """Where a run's folder is: under `root`, or among its teachers if it was trained as one (Table 8's baseline)."""
    return named_place(run_name(config), root)


def named_place(name: str, root: Path) -> Path:
    """Where the folder of the run of this name is (see `run_place`)."""
    own, teacher = root / name, teachers_folder(root) / name
    return teacher if teacher.exists() and not own.exists() else own


def teachers_folder(root: Path) -> Path:
    """The results folder of the teachers of the runs in `root`; each is a run with its weights kept."""
    return root / "teachers"


def foreign_teacher(source: str, digest: str, root: Path) -> Path:
    """The folder of a teacher that was fine-tuned elsewhere and fetched from the hub id `source`."""
    return teachers_folder(root) / f"{slug(source)}-{digest}"


def shared_folder(root: Path) -> Path:
    """Where runs keep what they share: teachers' outputs, neighbour tables, translations (named in rooms below)."""
    return root / "shared"


@dataclass(frozen=True)
class RunFiles:
    """The files of a run in its folder. `result` appears last: a folder that has it is finished."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def result(self) -> Path:
        return self.folder / "result.json"

    @property
    def former_failure(self) -> Path:
        """The result of a failed run that is run again."""
        return self.folder / "result.failed.json"

    @property
    def curve(self) -> Path:
        return self.folder / "curve.parquet"

    @property
    def predictions(self) -> Path:
        return self.folder / PREDICTIONS

    @property
    def model(self) -> Path:
        """Weights, configuration and tokenizer: a folder that transformers can load."""
        return self.folder / "model"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def tensorboard(self) -> Path:
        return self.folder / "tensorboard"


@dataclass(frozen=True)
class SweepFiles:
    """The files of a sweep in its folder; the runs themselves lie under the results folder, shared by sweeps."""

    folder: Path

    @classmethod
    def of(cls, name: str, root: Path) -> SweepFiles:
        """Those of the sweep `name` in a results folder."""
        return cls(root / "sweeps" / name)

    @staticmethod
    def names(root: Path) -> list[str]:
        """The sweeps that were started in a results folder, or whose table is kept there."""
        kept = ("sweep.json", "results.parquet")
        return sorted({path.parent.name for name in kept for path in (root / "sweeps").glob(f"*/{name}")})

    @property
    def definition(self) -> Path:
        """The sweep's runs as they were last asked for."""
        return self.folder / "sweep.json"

    @property
    def table(self) -> Path:
        return self.folder / "results.parquet"

    @property
    def provenance(self) -> Path:
        return self.folder / "provenance.json"

    @property
    def jobs(self) -> Path:
        """Where SLURM jobs keep their files."""
        return self.folder / "jobs"

    @property
    def markers(self) -> Path:
        """A marker for each unit of work that is running."""
        return self.folder / "running"

    def marker(self, unit: str) -> Path:
        return self.markers / f"{unit}.json"
