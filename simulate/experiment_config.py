"""The grid of an experiment: one TOML file (or the command line), validated before any work.

Axes are lists of values; every combination is a cell. All cells that differ in tau alone are one *family*: they share
their random numbers and are fitted together.
"""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from simulate.imperfect_teacher import check_teacher
from simulate.kernel import KernelShape, check_kernel
from simulate.students.registry import STUDENTS, VALIDATION, StudentConfig, penalty_text
from simulate.supervision import loss_weights
from simulate.truth import build_truth
from theory.errors import InputError, unknown_name
from theory.settings_file import parse_toml, read_toml, validated

AXES = (
    "dimension",
    "data_size",
    "supervision",
    "augmented_size",
    "truth",
    "teacher",
    "teacher_epsilon",
    "trust_radius",
    "outside",
    "kernel",
    "student",
    "penalty",
)
GROWING = (*AXES, "tau", "replicates", "max_replicates", "target_se", "title", "verdict", "reading")


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)


class Family(_Config):
    """All cells that differ in tau alone."""

    dimension: int
    data_size: int
    supervision: str
    augmented_size: str
    truth: str
    teacher: str
    teacher_epsilon: float
    trust_radius: float
    outside: str
    kernel: str
    student: str
    penalty: str

    @property
    def online(self) -> bool:
        """Fresh augmented examples only, none seen twice."""
        return self.augmented_size == "online"

    def examples(self, online_size: int) -> int:
        """Augmented examples drawn: m, a multiple of n, or `online_size`."""
        if self.online:
            return online_size
        if self.augmented_size.endswith("x"):
            return max(1, round(float(self.augmented_size[:-1]) * self.data_size))
        return int(self.augmented_size)

    def slug(self) -> str:
        """A short name for messages."""
        return f"n={self.data_size} {self.supervision} {self.student} {self.truth} m={self.augmented_size}"


class ExperimentConfig(_Config):
    """One experiment: its axes (tuples) and what is the same in all its cells."""

    title: str = "simulation"
    verdict: str | None = Field(None, description="the rule that reads the table; None: no verdict")
    reading: str | None = Field(None, description="the theory that the curves are read against; None: none")
    dimension: tuple[int, ...] = (5,)
    data_size: tuple[int, ...] = (30, 100, 300, 1000)
    tau: tuple[float, ...] = tuple(float(f"{x:.4g}") for x in np.geomspace(0.001, 3.0, 12))
    supervision: tuple[str, ...] = ("teacher", "copied_label")
    augmented_size: tuple[str, ...] = ("4096",)
    truth: tuple[str, ...] = ("smooth",)
    teacher: tuple[str, ...] = ("trusted",)
    teacher_epsilon: tuple[float, ...] = (0.05,)
    trust_radius: tuple[float, ...] = (3.5,)
    outside: tuple[str, ...] = ("half",)
    kernel: tuple[str, ...] = ("isotropic",)
    student: tuple[str, ...] = ("ridge",)
    penalty: tuple[str, ...] = Field(
        (VALIDATION,), description="`validation`: chosen there by each student; or a number"
    )
    replicates: int = Field(8, ge=2, description="replicates of every cell (at least two: one has no standard error)")
    target_se: float | None = Field(None, gt=0, description="go on until every standard error of the error is below it")
    max_replicates: int = Field(64, ge=2, description="budget of replicates a cell when target_se is given")
    block: int = Field(4, ge=1, description="replicates fitted together, and the unit that is kept when interrupted")
    seed: int = Field(0, ge=0)
    held_out_size: int = Field(1024, ge=1, description="labelled examples on which a student's penalty is chosen")
    test_size: int = Field(4096, ge=2, description="fresh test points a replicate")
    online_size: int = Field(32768, ge=1, description="augmented examples seen by an online student")
    teacher_size: int = Field(20000, ge=1, description="labelled examples that a learned teacher is fitted to")
    distance_points: int = Field(0, ge=0, description="points for the L1 distance of each mixture; 0: not measured")
    alpha: float = 0.1
    beta: float = 0.0
    gamma: float = 0.5
    subspace_dimension: int = Field(1, ge=1)
    tail_dof: float = 3.0
    neighbour_width: float = Field(0.2, gt=0, le=1, description="ranks that neighbour_replacement draws from")
    correlation: float = Field(0.0, ge=0, lt=1, description="correlation of any two coordinates of the population")
    parents: Literal["iid", "dealt"] = Field(
        "iid", description="originals of augmented examples: drawn as in section 4.2, or in turn (of lower variance)"
    )
    students: StudentConfig = StudentConfig()
    device: str = Field("cpu", description="torch device")

    @field_validator(*AXES, "tau", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return value if isinstance(value, (list, tuple)) else (value,)

    @field_validator("penalty", mode="before")
    @classmethod
    def _penalties_are_text(cls, value: Any) -> Any:
        return tuple(penalty_text(one) for one in (value if isinstance(value, (list, tuple)) else (value,)))

    @field_validator("augmented_size", mode="before")
    @classmethod
    def _sizes_are_text(cls, value: Any) -> Any:
        sizes = value if isinstance(value, (list, tuple)) else (value,)
        return tuple(str(size) for size in sizes)

    @model_validator(mode="after")
    def _check(self) -> ExperimentConfig:
        for axis in (*AXES, "tau"):
            values = getattr(self, axis)
            if not values or len(set(values)) != len(values):
                raise InputError(axis, list(values), "at least one value, none twice")
        for tau in self.tau:
            _finite("tau", tau, tau >= 0, "a finite variance >= 0 (0: the originals themselves)")
        for name in ("dimension", "data_size"):
            for value in getattr(self, name):
                _finite(name, value, value >= 1, "a whole number >= 1")
        for size in self.augmented_size:
            if not re.fullmatch(r"online|[1-9]\d*|(\d+\.?\d*|\.\d+)x", size) or size.strip("0.") == "x":
                raise InputError("augmented_size", size, 'a count ("4096"), a multiple of n ("8x") or "online"')
        if list(self.tau) != sorted(self.tau):
            raise InputError("tau", list(self.tau), "increasing values")
        for family in self.families():
            loss_weights(family.supervision, self.alpha, self.beta, self.gamma)
            build_truth(family.truth)
            check_teacher(family.teacher, family.outside, family.teacher_epsilon, family.trust_radius)
            check_kernel(family.kernel, family.dimension, self.tau, self.kernel_shape)
            if family.student not in STUDENTS:
                raise unknown_name("student", family.student, STUDENTS)
        if self.distance_points and (self.correlation or self.tau[0] == 0):
            found = f"correlation {self.correlation:g}, least tau {self.tau[0]:g}"
            raise InputError("distance_points", found, "correlation 0 and tau > 0 where distances are measured")
        if self.max_replicates < self.replicates and self.target_se is not None:
            raise InputError("max_replicates", self.max_replicates, f"at least replicates ({self.replicates})")
        return self

    @property
    def kernel_shape(self) -> KernelShape:
        """What kernels need besides tau."""
        return KernelShape(
            subspace_dimension=self.subspace_dimension, tail_dof=self.tail_dof, neighbour_width=self.neighbour_width
        )

    def families(self) -> list[Family]:
        """Every combination of the axes but tau, in the order of the axes."""
        values = [getattr(self, axis) for axis in AXES]
        return [Family(**dict(zip(AXES, combination, strict=True))) for combination in itertools.product(*values)]

    def bytes_needed(self) -> int:
        """An upper estimate of the memory of the largest block: examples, features of one chunk, predictions."""
        most = 0
        for family in self.families():
            size = family.examples(self.online_size) + family.data_size
            students = len(self.tau) * min(self.block, self.max_replicates)
            points = students * size * (3 * family.dimension + 40)
            points_seen = self.test_size + self.held_out_size
            tests = points_seen * (students * (8 + len(self.students.penalties)) + self.block * self.students.features)
            neighbours = 2 * size * 512 if family.student == "knn" else 0
            network = 12 * students * self.students.hidden * self.students.batch_size if family.student == "mlp" else 0
            features = 2 * max(size, 2048) * self.students.features
            most = max(most, 4 * (points + tests + neighbours + network + features))
        return most

    def check_memory(self) -> None:
        """Raise InputError if the largest block cannot fit in the machine's memory."""
        limit = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if self.bytes_needed() > 0.8 * limit:
            raise InputError(
                "a cell's memory",
                f"{self.bytes_needed() / 2**30:.1f} GiB",
                f"at most {0.8 * limit / 2**30:.1f} GiB here: lower block, augmented_size, test_size or dimension",
            )

    def to_toml(self) -> str:
        """The resolved configuration as TOML."""
        return tomli_w.dumps(self.model_dump(mode="python", exclude_none=True))


def _finite(name: str, value: float, good: bool, allowed: str) -> None:
    if not (math.isfinite(value) and good):
        raise InputError(name, value, allowed)


def make_config(values: Mapping[str, Any]) -> ExperimentConfig:
    """A configuration from plain values; InputError names the field, what was found and what is allowed."""
    known = {*ExperimentConfig.model_fields}
    for key in values:
        if key not in known:
            raise unknown_name("grid column", key, known)
    return validated(ExperimentConfig, values)


def presets() -> list[str]:
    """Names of the packaged presets."""
    folder = resources.files("simulate") / "presets"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read_values(preset_or_file: str) -> dict[str, Any]:
    """The plain values of a preset or a TOML file; InputError names the file (and line) or the nearest presets."""
    if preset_or_file in presets():
        text = (resources.files("simulate") / "presets" / f"{preset_or_file}.toml").read_text("utf-8")
        return parse_toml(text, f"preset {preset_or_file}")
    path = Path(preset_or_file)
    if not path.is_file():
        if path.suffix == ".toml":
            raise InputError("grid file", preset_or_file, "an existing TOML file, or a preset: " + ", ".join(presets()))
        raise unknown_name("preset", preset_or_file, presets())
    return read_toml(path, "grid file")


Engine = Literal["threads", "processes", "cluster"]
