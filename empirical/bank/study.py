"""A study of error against degree: a bank, light students on it, sizes, arms; read from a preset or a TOML file.

    kdshift empirical curves curves-demo

The string of every field's description is its help text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from empirical.bank.plan import MOST_SPLITS, SPLIT_BLOCKS, BankPlan, Shift
from empirical.config import ModelConfig, TaskConfig, TrainConfig
from theory.errors import InputError, unknown_name
from theory.settings_file import read_toml, validated, with_none

PRESETS = Path(__file__).parent / "presets"


class Size(BaseModel):
    """One data size and the replicates it gets: disjoint subsets of the pool's first `pool` texts, or its halves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_size: int = Field(ge=2, description="original texts of a replicate")
    pool: int | None = Field(None, ge=2, description="texts that are cut into replicates; None: the study's pool")
    copies: int | None = Field(None, ge=1, description="augmented copies of a text; None: the study's")
    splits: int | None = Field(
        None,
        ge=2,
        le=MOST_SPLITS,
        description="data_size is half of the pool: cut it in two in so many ways; None: disjoint subsets",
    )


class CopiesArm(BaseModel):
    """Arms with other numbers of copies at one size, beside its own: what more augmented data is worth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_size: int = Field(description="one of the study's sizes")
    copies: tuple[int, ...] = Field(min_length=1, description="augmented copies of a text, not the size's own number")
    augmenters: tuple[str, ...] = Field(("knn",), min_length=1)


class Check(BaseModel):
    """Networks trained to convergence on some cells of a study, as a check of its light students' best degree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    student: Literal["bilstm", "encoder"] = Field(
        description="bilstm over the teacher's frozen input embeddings, or two layers of its pretrained encoder"
    )
    data_size: int = Field(description="one of the study's sizes")
    replicates: int = Field(4, ge=2, description="its first replicates")
    augmenters: tuple[str, ...] = Field(("knn", "random"), min_length=1)
    degrees: tuple[float, ...] = Field(min_length=1, description="some of the shifts' degrees")
    steps: int = Field(ge=10)
    batch_size: int = Field(16, ge=1, description="originals a step, and as many copies")
    learning_rate: float = Field(gt=0)
    hidden_size: int = Field(64, ge=1, description="width of one direction of a bilstm")
    layers: tuple[int, ...] = Field((0, 5), description="layers that an encoder keeps of the teacher's, from 0")
    validation_size: int | None = Field(300, ge=1, description="validation texts that choose the step; None: all")
    test_size: int | None = Field(None, ge=1, description="test texts of those of the study; None: all")

    def model(self, teacher: ModelConfig) -> ModelConfig:
        """The student, made of the teacher's model before it was fine-tuned."""
        if self.student == "bilstm":
            return ModelConfig(
                name=teacher.name, architecture="bilstm", hidden_size=self.hidden_size, freeze_embeddings=True
            )
        return ModelConfig(name=teacher.name, layers=self.layers, freeze_embeddings=True)


class Study(BaseModel):
    """Everything that decides a study's numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    task: TaskConfig = TaskConfig(max_length=64)
    teacher: ModelConfig = ModelConfig()
    teacher_train: TrainConfig | None = Field(
        TrainConfig(steps=304, learning_rate=1e-4, alpha=1.0, gamma=1.0),
        description='the teacher\'s fine-tuning on the whole training split; "none": it is fine-tuned already',
    )
    runtime: Literal["torch", "onnx", "onnx-int8"] = Field(
        "torch", description="what runs the teacher; onnx-int8: the quantised network is the teacher"
    )
    pool: int = Field(880, ge=2, description="training texts that are augmented")
    reserve: int = Field(0, ge=0, description="further real texts for the arm `unlabelled`, beside the pool's others")
    skip: int = Field(
        0, ge=0, description="pool of an earlier study with this seed: its texts are left out of this one"
    )
    copies: int = Field(4, ge=1, description="augmented copies of a text, for each augmenter and degree")
    seed: int = Field(0, ge=0, description="seed of the pool, the copies and the students")
    test_size: int | None = Field(None, ge=1, description="test texts; None: all")
    shifts: tuple[Shift, ...] = Field(min_length=1, description="augmenters and their degrees")
    sizes: tuple[Size, ...] = Field(min_length=1, description="data sizes")
    students: tuple[Literal["linear", "static"], ...] = ("linear", "static")
    finetune: tuple[Literal["linear", "static"], ...] = Field(
        ("static",), description="students that are fitted to labels, copied ones too, as well"
    )
    alpha: float = Field(0.1, ge=0, le=1, description="weight of labels on originals (section 2); linear: 0")
    gamma: float = Field(0.5, gt=0, lt=1, description="weight of original against augmented texts (section 2)")
    unlabelled: tuple[float, ...] = Field((), description="real unlabelled texts instead of augmented, in units of n")
    equal_compute: bool = Field(False, description="static: no augmentation with twice the originals a step as well")
    steps: int = Field(600, ge=20, description="static: steps up to n = 220; beyond, with the root of n")
    amounts: tuple[CopiesArm, ...] = Field((), description="arms with other numbers of copies, at some sizes")
    checks: tuple[Check, ...] = Field((), description="networks on some cells, beside the light students")
    same_teacher: tuple[int, ...] = Field((), description="sizes with a second arm: a teacher of the same n texts")
    same_teacher_train: TrainConfig = Field(
        TrainConfig(steps=140, batch_size=16, learning_rate=1e-4, alpha=1.0, gamma=1.0),
        description="fine-tuning of a teacher of n texts",
    )
    same_replicates: int = Field(4, ge=1, description="replicates of that arm: each trains a teacher of its own")

    @model_validator(mode="after")
    def _check(self) -> Study:
        for size in self.sizes:
            if size.data_size > (size.pool or self.pool) or (size.pool or 0) > self.pool:
                raise ValueError(f"sizes: data_size {size.data_size} and its pool at most the study's pool {self.pool}")
            if size.splits and (2 * size.data_size != (pool := size.pool or self.pool) or pool % SPLIT_BLOCKS):
                raise ValueError(
                    f"sizes: splits needs a pool of twice {size.data_size} texts, a multiple of {SPLIT_BLOCKS}"
                )
            for shift in self.shifts if size.splits else ():
                if shift.pool is not None and size.data_size <= shift.pool < (size.pool or self.pool):
                    raise ValueError(f"shifts: {shift.augmenter} reaches one half only of a size with splits")
        sizes = {size.data_size: size for size in self.sizes}
        for more in self.amounts:
            known_names = {shift.augmenter for shift in self.shifts}
            if more.data_size not in sizes or not set(more.augmenters) <= known_names:
                raise ValueError(f"amounts: data_size one of {sorted(sizes)}, augmenters of {sorted(known_names)}")
            if (sizes[more.data_size].copies or self.copies) in more.copies or min(more.copies) < 1:
                raise ValueError(f"amounts: copies >= 1 and not those that n = {more.data_size} has of itself")
        for check in self.checks:
            known = {degree for shift in self.shifts if shift.augmenter in check.augmenters for degree in shift.degrees}
            if check.data_size not in sizes or not set(check.degrees) <= known:
                raise ValueError(f"checks: data_size one of {sorted(sizes)}, degrees some of {sorted(known)}")
        return self

    def shift_of(self, augmenter: str) -> Shift:
        """The study's shift by that augmenter; InputError naming those that it has."""
        found = {shift.augmenter: shift for shift in self.shifts}
        if augmenter not in found:
            raise unknown_name("augmenter", augmenter, found)
        return found[augmenter]

    def size_of(self, data_size: int) -> Size:
        """The study's size of so many texts; InputError naming those that it has."""
        found = {size.data_size: size for size in self.sizes}
        if data_size not in found:
            raise InputError("data_size", data_size, f"one of the study's: {', '.join(map(str, found))}")
        return found[data_size]

    def amounts_of(self, size: Size) -> Iterator[CopiesArm]:
        """The arms with other numbers of copies at a size."""
        yield from (more for more in self.amounts if more.data_size == size.data_size)

    def banks(self) -> Iterator[BankPlan]:
        """What every size needs, further copies included; each plan once."""
        yield from dict.fromkeys(plan for size in self.sizes for plan in (self.bank_of(size), *self._more_copies(size)))

    def _more_copies(self, size: Size) -> Iterator[BankPlan]:
        for more in self.amounts_of(size):
            shifts = tuple(shift for shift in self.shifts if shift.augmenter in more.augmenters)
            yield self.bank_of(size).model_copy(update={"copies": max(more.copies), "shifts": shifts})

    def bank(self) -> BankPlan:
        """The bank that all sizes together need, as one rectangle; `banks` has what each size needs."""
        return BankPlan(
            task=self.task,
            pool=self.pool,
            reserve=self.reserve,
            skip=self.skip,
            copies=self.copies,
            seed=self.seed,
            test_size=self.test_size,
            shifts=self.shifts,
        )

    def bank_of(self, size: Size) -> BankPlan:
        """The bank that one size needs."""
        update = {"pool": size.pool or self.pool, "copies": size.copies or self.copies}
        return self.bank().model_copy(update=update)


def presets() -> list[str]:
    """The names of the presets that come with the package."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def load_study(source: str) -> Study:
    """The study of a preset's name or of a TOML file.

    Raises:
        InputError: no such preset or file, no TOML, or a field or value that does not exist, by its name.
    """
    path = Path(source)
    if path.suffix != ".toml":
        path = PRESETS / f"{source}.toml"
        if not path.exists():
            raise unknown_name("preset", source, presets())
    return validated(Study, with_none(read_toml(path, "study")), str(path))
