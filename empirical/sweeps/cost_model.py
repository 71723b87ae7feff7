"""What a run costs here or on a card elsewhere, term by term: its passes, its teacher's, its translations; its memory.

A run's time is its tokens times its layers, at the speed of one layer of each kind and width.
"""

from __future__ import annotations

from dataclasses import dataclass

from empirical.augment.build import make_translator
from empirical.augment.seq2seq import PAPER_MODEL
from empirical.augment.translation import Apertium
from empirical.config import AugmentConfig, ModelConfig, RunConfig, TaskConfig, TrainConfig
from empirical.paper import TABLE_1_MINUTES, TABLE_1_ORIGINALS
from empirical.sweeps.devices import DEVICES, Device, layer_seconds
from empirical.sweeps.layer_speed import time_layer, time_translation
from empirical.sweeps.model_sizes import Shape, size_of
from empirical.tasks.load import TASKS, load_task, subset_size
from empirical.training.cohort import uses_teacher
from theory.errors import InputError

TYPICAL_TOKENS = 40  # of a GLUE pair, where the data are not at hand
TOKENS_PER_WORD = 1.35
VALIDATION_TEXTS = 1000  # cut from a training split that is not at hand


@dataclass(frozen=True, kw_only=True)
class TextCounts:
    """Of a task: training texts, texts of one evaluation, mean tokens a text, and some texts (none if not at hand)."""

    train: int
    evaluated: int
    tokens: float
    sample: tuple[str, ...] = ()

    def originals(self, run: RunConfig) -> int:
        """How many texts a run trains on."""
        return subset_size(run.data_size, self.train) if run.data_size <= self.train else self.train


class CostModel:
    """Costs of runs; layers are timed once a width, tasks looked at once each.

    Translations are kept on disk, so the first run that needs one pays for it. `notes` gathers what was assumed.
    device: a card that is not here, for which nothing is timed and no data are read; None: this machine.
    """

    def __init__(self, device: Device | None = None) -> None:
        self.device = device
        self.notes: dict[str, None] = {}
        self._translated: set[tuple[object, ...]] = set()
        self._trips: dict[TaskConfig, float] = {}
        self._speeds: dict[tuple[int, int, bool], tuple[float, float]] = {}
        self._texts: dict[TaskConfig, TextCounts] = {}
        self._shapes: dict[ModelConfig, Shape] = {}

    def seconds(self, run: RunConfig, sharing: int) -> float:
        """Time of one run whose teacher's passes are shared by `sharing` runs of its cohort."""
        own = self.training(run) + self.evaluation(run)
        return own + self.teaching(run) / sharing + self.translation(run)

    def training(self, run: RunConfig) -> float:
        """Seconds of the student's passes forward and backward; augmented texts are as many as originals."""
        student = self._student(run)
        texts = run.train.steps * run.train.batch_size * (1 if run.augment is None else 2)
        return texts * self.texts(run.task).tokens * student.layers * self._speed(student)[1]

    def evaluation(self, run: RunConfig) -> float:
        """Seconds of the student's evaluations."""
        counts, student = self.texts(run.task), self._student(run)
        rounds = 1 if run.train.evaluate_every is None else run.train.steps // run.train.evaluate_every
        return rounds * counts.evaluated * counts.tokens * student.layers * self._speed(student)[0]

    def teaching(self, run: RunConfig) -> float:
        """Seconds of the teacher's passes: every original once, augmented texts at every step or once a copy."""
        if not uses_teacher(run) or run.teacher is None:
            return 0.0
        counts, teacher = self.texts(run.task), self._shape(run.teacher)
        originals = counts.originals(run)
        fresh = 0 if run.augment is None else run.train.steps * run.train.batch_size
        if run.augment is not None and run.augment.copies is not None:
            fresh = min(fresh, originals * run.augment.copies)
        return (originals + fresh) * counts.tokens * teacher.layers * self._speed(teacher)[0]

    def translation(self, run: RunConfig) -> float:
        """Seconds of the round trips of a run's texts, unless an earlier run has paid for them."""
        augment = run.augment
        if augment is None or augment.augmenter != "back-translation":
            return 0.0
        if self.device is not None and augment.engine == PAPER_MODEL:
            return self._papers_translation(run, augment, self.device)
        sample = self.texts(run.task).sample
        engine = _apertium(augment)
        if engine is None or not sample:
            name = augment.engine or "apertium"
            self.notes[f"the translation of {run.task.name} by {name} is not in the estimate"] = None
            return 0.0
        new = self._new_trips(run, min(augment.copies or 1, len(engine.pivots)))
        if run.task not in self._trips:
            self._trips[run.task] = time_translation(engine, sample)
        return new * self.texts(run.task).originals(run) * self._trips[run.task]

    def _new_trips(self, run: RunConfig, trips: int) -> int:
        """How many of a run's round trips no earlier run has paid for."""
        wanted: set[tuple[object, ...]] = {(run.task, run.data_size, run.data_seed, trip) for trip in range(trips)}
        new = len(wanted - self._translated)
        self._translated |= wanted
        return new

    def _papers_translation(self, run: RunConfig, augment: AugmentConfig, device: Device) -> float:
        """Seconds by the paper's own minutes on its card, shorter by the peak on a faster one."""
        self.notes["translation: 56 minutes for 4x of 1 % of MNLI on a V100 (Table 1), by peak on other cards"] = None
        a_text = 60 * TABLE_1_MINUTES["back-translation", "4x"] / (4 * TABLE_1_ORIGINALS)
        texts = self._new_trips(run, augment.copies or 1) * self.texts(run.task).originals(run)
        return texts * a_text * DEVICES["v100"].peak / device.peak

    def gigabytes(self, run: RunConfig, sharing: int) -> float:
        """Weights, gradients, optimiser and activations of `sharing` students, and the teacher's weights."""
        student = self._student(run)
        tokens = min(run.task.max_length, 2 * self.texts(run.task).tokens)
        texts = run.train.batch_size / run.train.accumulate * (1 if run.augment is None else 2)
        activations = 4 * texts * tokens * student.layers * (10 * student.hidden + 2 * student.inner)
        total = sharing * student.parameters * _bytes_a_parameter(run.train) + activations
        if uses_teacher(run) and run.teacher is not None:
            total += 4 * self._shape(run.teacher).parameters
        return total / 1e9

    def texts(self, config: TaskConfig) -> TextCounts:
        """What there is to read of a task; typical figures where its data are not here."""
        if config not in self._texts:
            self._texts[config] = self._count(config)
        return self._texts[config]

    def _count(self, config: TaskConfig) -> TextCounts:
        if self.device is not None and (assumed := self._typical(config)) is not None:
            return assumed
        try:
            task = load_task(config)
        except InputError:
            if (assumed := self._typical(config)) is None:
                raise
            return assumed
        some = task.train.take(range(0, len(task.train), max(1, len(task.train) // 200)))
        sample = tuple(some.text_a)
        if some.text_b is not None:
            sample = tuple(" ".join(pair) for pair in zip(sample, some.text_b, strict=True))
        words = sum(len(text.split()) for text in sample)
        tokens = min(config.max_length, 3 + TOKENS_PER_WORD * words / len(sample))
        evaluated = len(task.validation) + len(task.test)
        return TextCounts(train=len(task.train), evaluated=evaluated, tokens=tokens, sample=sample)

    def _typical(self, config: TaskConfig) -> TextCounts | None:
        """The printed sizes of a known task with typical texts, or None for another one."""
        spec = TASKS.get(config.name)
        if spec is None or config.path is not None or spec.train_size is None or spec.test_size is None:
            return None
        self.notes[f"the data of {config.name} are not here: {TYPICAL_TOKENS} tokens a text assumed"] = None
        evaluated = round(spec.test_size.value) + (0 if config.validation_size == 0 else VALIDATION_TEXTS)
        return TextCounts(train=round(spec.train_size.value), evaluated=evaluated, tokens=TYPICAL_TOKENS)

    def _student(self, run: RunConfig) -> Shape:
        """A student named "teacher" is cut from the trained teacher: it has the teacher's widths."""
        model = run.student
        if model.name == "teacher" and run.teacher is not None:
            model = model.model_copy(update={"name": run.teacher.name})
        return self._shape(model)

    def _shape(self, model: ModelConfig) -> Shape:
        if model not in self._shapes:
            self._shapes[model], note = size_of(model)
            if note:
                self.notes[note] = None
        return self._shapes[model]

    def _speed(self, shape: Shape) -> tuple[float, float]:
        """Seconds a token of one layer: (forward, forward and backward)."""
        layer = (shape.hidden, shape.inner, shape.recurrent)
        if layer not in self._speeds:
            self._speeds[layer] = time_layer(*layer) if self.device is None else layer_seconds(self.device, *layer)
        return self._speeds[layer]


def _apertium(augment: AugmentConfig) -> Apertium | None:
    """The translator, if it is one that can be timed: a translation model is too much to load for an estimate."""
    try:
        engine = make_translator(augment)
    except InputError:
        return None
    return engine if isinstance(engine, Apertium) else None


def _bytes_a_parameter(train: TrainConfig) -> int:
    """Weights and gradients in fp32, and AdamW's two moments (Adafactor's are factored: nearly nothing)."""
    return 16 if train.optimizer == "adamw" else 8
