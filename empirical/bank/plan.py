"""What a bank holds: which texts, which augmenters at which degrees, how many copies; and the order of making it.

`kdshift empirical bank` makes what a plan names; a larger plan of the same texts only adds to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from empirical.augment.catalogue import textless
from empirical.config import AUGMENTERS, AugmentConfig, TaskConfig

BLOCK = 880  # texts augmented in one call and kept in one file
SPLIT_BLOCKS = 8  # pieces of a pool that is cut into halves in several ways, each half four of them
MOST_SPLITS = SPLIT_BLOCKS - 1  # ways of which any two cut each other's halves in half


class Shift(BaseModel):
    """One augmenter at several degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    augmenter: str = Field(description="one of " + ", ".join(AUGMENTERS))
    degrees: tuple[float, ...] = Field(min_length=1, description="positive degrees, shares of eligible tokens")
    neighbours: int = Field(15, ge=1, description="k of kNN")
    metric: str = Field("cosine", description="distance of the neighbour table")
    language_model: str | None = Field(None, description="of contextual augmenters and of knn-in-context")
    student: str | None = Field(None, description="augpro-fgsm: directory of a trained student")
    pool: int | None = Field(None, ge=1, description="only the pool's first texts; None: all of them")
    copies: int | None = Field(None, ge=1, description="fewer copies than the plan's")

    @model_validator(mode="after")
    def _check(self) -> Shift:
        if self.augmenter not in AUGMENTERS or self.augmenter == "ground-truth":
            raise ValueError("augmenter: one of " + ", ".join(sorted(set(AUGMENTERS) - {"ground-truth"})))
        if textless(self.augmenter):
            raise ValueError(f"augmenter: {self.augmenter} makes no texts that a bank could keep")
        if not all(0 < degree <= 1 for degree in self.degrees) or len(set(self.degrees)) < len(self.degrees):
            raise ValueError("degrees: distinct numbers in (0, 1]")
        return self

    @property
    def name(self) -> str:
        """The augmenter with the options that it uses: what its copies depend on, beside degree and randomness."""
        if self.augmenter == "knn":
            return f"knn-{self.neighbours}-{self.metric}"
        models = [Path(source).name for source in (self.language_model, self.student) if source is not None]
        return "-".join([self.augmenter, *models])

    def augment(self) -> AugmentConfig:
        """The augmenter's configuration; the degree is each copy's own."""
        return AugmentConfig.model_validate(
            {
                "augmenter": self.augmenter,
                "neighbours": self.neighbours,
                "metric": self.metric,
                "language_model": self.language_model,
                "student": self.student,
            }
        )


class BankPlan(BaseModel):
    """What a bank is asked to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: TaskConfig = TaskConfig(max_length=64)
    pool: int = Field(880, ge=1, description="training texts that are augmented")
    reserve: int = Field(0, ge=0, description="further training texts, answered but not augmented")
    skip: int = Field(0, ge=0, description="training texts of the seed's order that come before the pool")
    copies: int = Field(4, ge=1, description="augmented copies of a text, for each augmenter and degree")
    seed: int = Field(0, ge=0, description="seed of the pool's order and of the copies")
    test_size: int | None = Field(None, ge=1, description="test texts that are answered; None: all")
    shifts: tuple[Shift, ...] = Field((), description="augmenters and their degrees")

    def units(self) -> Iterator[Unit]:
        """Everything to make, block by block: a prefix that ends with a block is a smaller bank, complete."""
        for block in range(-(-self.pool // BLOCK)):
            for shift in self.shifts:
                size = min(self.reach(shift) - block * BLOCK, BLOCK)
                for degree in shift.degrees if size > 0 else ():
                    for copy in range(self.copies_of(shift)):
                        yield Unit(shift=shift, degree=degree, copy=copy, block=block, size=size)

    def reach(self, shift: Shift) -> int:
        """How many of the pool's texts a shift's copies are made of."""
        return min(self.pool, shift.pool or self.pool)

    def copies_of(self, shift: Shift) -> int:
        """Copies of a text by a shift at each degree."""
        return min(self.copies, shift.copies or self.copies)

    def used(self) -> dict[str, Any]:
        """The plan as JSON, with each shift's own texts and copies: plans that use the same are equal."""
        shifts = [
            shift.model_copy(update={"pool": self.reach(shift), "copies": self.copies_of(shift)}).model_dump()
            for shift in self.shifts
        ]
        unused = {"shifts"} if self.skip else {"shifts", "skip"}  # as before there was one
        return {**self.model_dump(mode="json", exclude=unused), "shifts": shifts}

    @property
    def answers(self) -> int:
        """Augmented texts a teacher answers, as if none of them came twice."""
        return sum(self.reach(shift) * self.copies_of(shift) * len(shift.degrees) for shift in self.shifts)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One copy of one block of texts by one augmenter at one degree: what is made, answered and kept together.

    size: how many of the block's texts, from its start, are in the plan.
    """

    shift: Shift
    degree: float
    copy: int
    block: int
    size: int

    @property
    def name(self) -> str:
        """The unit's place below the augmenter's folder."""
        return f"degree-{self.degree:g}/copy-{self.copy:03d}/block-{self.block:05d}"

    @property
    def step(self) -> int:
        """A number for the unit's random stream: 48 bits of what it is, so that a larger plan draws the same."""
        what = f"{self.shift.name} {self.name}"
        return int.from_bytes(hashlib.blake2b(what.encode(), digest_size=6).digest(), "big")
