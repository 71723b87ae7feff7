"""What the ladder's first four rungs are made of: points, shifted copies and a teacher's answers.

Texts become points of whitened coordinates (`empirical.shift`), in which the theorem's N(0, I) is a fair first guess.
Shapes: n originals, m copies, N texts or points, d coordinates, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.arms import Arm, BankTargets, Bench
from empirical.bank.plan import BankPlan, Unit
from empirical.bank.study import Size
from empirical.bank.study_run import StudyRun
from empirical.bank.study_table import NONE
from empirical.shift import Whitening, effective_tau
from empirical.shift.text_points import WhitenedInputs, whitened_inputs
from kdshift.ladder.fourier_student import FeatureRidge, FourierMap, fit_features
from kdshift.ladder.rungs import GAUSSIAN, GAUSSIAN_SHIFT, LadderConfig
from simulate.seeds import Purpose, stream

Floats = NDArray[np.float64]
MANY = 2**20  # data size in the address of what all sizes share


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """A function of points that answers for the teacher: what of its answers the points can say."""

    features: FourierMap
    fitted: FeatureRidge

    def __call__(self, x_Nd: Floats) -> Floats:
        """Logits of shape (N, C)."""
        return self.fitted(self.features(x_Nd))


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Originals (or shifted copies) of a replicate with their answers."""

    x_Nd: Floats
    target_NC: NDArray[np.floating[Any]]


@dataclass
class World:
    """The texts of a study as points, and everything that can be drawn around them.

    run: the study, its bank made. config: what is tried. low: the world of few dimensions.
    """

    run: StudyRun
    config: LadderConfig
    low: bool = False
    _benches: dict[BankPlan, Bench] = field(default_factory=dict)

    def _rng(self, size: int, replicate: int, purpose: Purpose) -> np.random.Generator:
        return stream(self.config.seed, self.dimension, size, replicate, purpose)

    @cached_property
    def inputs(self) -> WhitenedInputs:
        """The coordinates: the pool's originals have mean 0 and covariance I in them."""
        return whitened_inputs(self.run, self.config.low_dimension if self.low else None)

    @property
    def dimension(self) -> int:
        """d: the intrinsic dimension of the texts' embeddings, or the few."""
        return self.inputs.whiten.dimension

    def bench(self, size: Size) -> Bench:
        """The bank that a size uses, as points."""
        return self._bench_of(self.run.study.bank_of(size))

    def _bench_of(self, plan: BankPlan) -> Bench:
        if plan not in self._benches:
            self._benches[plan] = Bench(replace(self.run.bank, plan=plan), plan, self.inputs)
        return self._benches[plan]

    @cached_property
    def targets(self) -> BankTargets:
        """The text's teacher."""
        bank = replace(self.run.bank, plan=self.run.study.bank())
        return BankTargets(bank, self.run.teacher, bank.store(self.run.teacher))

    @cached_property
    def stand_in(self) -> StandIn:
        """The ridge regression of the teacher's answers on points, fitted on all originals of pool and reserve."""
        bench = self._bench_of(self.run.study.bank())
        rng = self._rng(MANY, 0, "teacher")
        features = FourierMap.draw(rng, self.dimension, self.config.teacher_features, self.config.bandwidth)
        texts = len(bench.originals)
        fitted = fit_features(
            features(bench.originals),
            self.targets.originals(np.arange(texts)),
            np.full(texts, 1 / texts),
            (features(bench.validation), self.targets.evaluation("validation")),
        )
        return StandIn(features=features, fitted=fitted)

    def student_features(self, size: int, replicate: int) -> FourierMap:
        """A replicate's own random features, the same on every rung and for every shift."""
        rng = self._rng(size, replicate, "student")
        return FourierMap.draw(rng, self.dimension, self.config.features, self.config.bandwidth)

    def held_out(self, rung: str, name: str, size: Size) -> Sample:
        """Validation or test originals of a rung, with its teacher's answers."""
        bench = self.bench(size)
        x_Nd = bench.validation if name == "validation" else bench.test
        if rung in GAUSSIAN:
            purpose: Purpose = "distance" if name == "validation" else "test"
            x_Nd = self._rng(MANY, 0, purpose).standard_normal(x_Nd.shape)
        answers = self.targets.evaluation(name) if rung == "teacher" else self.stand_in(x_Nd)  # type: ignore[arg-type]
        return Sample(x_Nd=x_Nd, target_NC=answers)

    def originals(self, rung: str, size: Size, replicate: int, own_N: NDArray[np.int64]) -> Sample:
        """The n originals of a replicate."""
        x_Nd = self.bench(size).originals[own_N]
        if rung in GAUSSIAN:
            x_Nd = self._rng(size.data_size, replicate, "data").standard_normal(x_Nd.shape)
        answers = self.targets.originals(own_N) if rung == "teacher" else self.stand_in(x_Nd)
        return Sample(x_Nd=x_Nd, target_NC=answers)

    def copies(
        self, rung: str, size: Size, replicate: int, own_N: NDArray[np.int64], originals: Sample
    ) -> Iterator[tuple[str, float, Sample]]:
        """Augmenter, shift and shifted copies, for every shift of a rung; common random numbers across tau."""
        if rung in GAUSSIAN_SHIFT:
            times = self.bench(size).plan.copies
            noise_md = self._rng(size.data_size, replicate, "augmentation").standard_normal(
                (times * len(own_N), self.dimension)
            )
            for tau in self.config.tau:
                x_md = np.tile(originals.x_Nd, (times, 1)) + np.sqrt(tau) * noise_md
                yield "gaussian", tau, Sample(x_Nd=x_md, target_NC=self.stand_in(x_md))
            return
        for shift in self.run.study.shifts:
            for degree in shift.degrees:
                arm = Arm(augmenter=shift.augmenter, mode="distill", degree=degree, shift=shift)
                data = self.bench(size).training_set(arm, replicate, own_N, self.targets)
                answers = data.more_target_MC if rung == "teacher" else self.stand_in(data.more)
                yield shift.augmenter, degree, Sample(x_Nd=data.more, target_NC=answers)

    def measured_tau(self) -> dict[tuple[str, float], float]:
        """E|x' - x|^2 / d of each augmenter and degree, over the first block of the pool."""
        bench = self.bench(self.run.study.sizes[0])
        found = {(NONE, 0.0): 0.0}
        for shift in self.run.study.shifts:
            for unit in (unit for unit in bench.plan.units() if unit.shift == shift and not (unit.copy or unit.block)):
                found[shift.augmenter, unit.degree] = self._moved(bench, unit)
        return found

    def _moved(self, bench: Bench, unit: Unit) -> float:
        # Points are whitened already, so what is left of the whitening is the division by d.
        plain = Whitening(np.zeros(self.dimension), np.eye(self.dimension))
        return float(effective_tau(bench.originals[: unit.size], bench.copies(unit), plain).mean())
