"""A KD step against TextBrewer's GeneralDistiller: same teacher, student, texts and loss; not part of the tests.

    pip install textbrewer tensorboard     # beside kdshift
    python tests/benchmarks/peer_textbrewer.py --teacher results/demo/text/teachers/*/model

Tweets at 1 %, online kNN at degree 0.3, the two-layer student, the squared distance of logits (alpha 0), AdamW with a
linear schedule. TextBrewer is fed as its documentation feeds it: a loader of random batches, padded to the longest.
Without `--teacher` the teacher's head is random and only the times mean something.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import get_linear_schedule_with_warmup

from empirical.config import RunConfig
from empirical.models.classifier import build_model, load_classifier
from empirical.training.cohort import Cohort, make_cohort
from empirical.training.held_out import EvaluationSplit
from empirical.training.student import Student
from tests.benchmarks.training import TWO_LAYERS, cohort_of, our_loop, random_batches, stock, tweets_run

WARMUP = 0.1


def run_config(steps: int, seed: int) -> RunConfig:
    config = tweets_run(TWO_LAYERS, 0.3, seed)
    train = config.train.model_copy(update={"steps": steps, "alpha": 0.0, "warmup": WARMUP})
    return config.model_copy(update={"train": train})


class Loader:
    """The plain loop's batches as keyword arguments of a BERT, without end."""

    def __init__(self, cohort: Cohort, seed: int) -> None:
        self.cohort, self.stream, self.seed = cohort, cohort.stream, seed

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        corpus, size = self.stream.corpora[self.cohort.base], self.cohort.students[0].config.train.batch_size
        for _, batch in random_batches(corpus, self.stream.augmentation, size, self.seed):
            yield {
                "input_ids": torch.from_numpy(batch.ids_BL.astype(np.int64)),
                "attention_mask": torch.from_numpy(batch.mask_BL.astype(np.int64)),
            }


def peer_loop(cohort: Cohort, teacher: torch.nn.Module, student: torch.nn.Module, seed: int, folder: Path) -> float:
    """Seconds that TextBrewer takes to train `student`, in place."""
    from textbrewer import DistillationConfig, GeneralDistiller, TrainingConfig

    logging.getLogger("Distillation").setLevel(logging.WARNING)
    train = cohort.students[0].config.train
    steps = train.steps
    optimizer = torch.optim.AdamW(student.parameters(), lr=train.learning_rate, weight_decay=0.01)
    places = {"output_dir": str(folder), "log_dir": str(folder)}
    distiller = GeneralDistiller(
        TrainingConfig(device="cpu", ckpt_steps=steps, **places),
        DistillationConfig(kd_loss_type="mse", temperature=1, hard_label_weight=0),
        teacher.eval(),
        student.train(),
        logits_of,
        logits_of,
    )
    schedule = {"num_warmup_steps": int(WARMUP * steps), "num_training_steps": steps}
    loader = Loader(cohort, seed)
    began = time.perf_counter()
    with distiller:
        distiller.train(
            optimizer,
            loader,
            num_steps=steps,
            scheduler_class=get_linear_schedule_with_warmup,
            scheduler_args=schedule,
            max_grad_norm=1.0,
        )
    return time.perf_counter() - began


def logits_of(batch: Any, output: Any) -> dict[str, Any]:
    return {"logits": (output.logits,)}


def accuracy(member: Student, model: Any, split: EvaluationSplit) -> float:
    """The accuracy of `model` in the place of the member's own."""
    member.model = model
    return split.scores(member.logits(split.corpus))["accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, help="a fine-tuned teacher's directory")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {"kdshift": [], "TextBrewer": []}
    correct: dict[str, list[float]] = {"kdshift": [], "TextBrewer": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(given.seeds):
            config = run_config(given.steps, seed)
            cohort = cohort_of([config], folder)
            model = given.teacher or folder / "teacher"
            if given.teacher is not None:
                cohort = make_cohort([config], folder / "shared", teacher_model=model)
            (member,) = cohort.students
            split = member.splits["validation"]
            seconds["kdshift"].append(our_loop(cohort, given.steps, time.perf_counter))
            correct["kdshift"].append(accuracy(member, member.model, split))
            teacher = stock(load_classifier(str(model)))
            student = stock(build_model(config.student, cohort.task.labels, seed))
            seconds["TextBrewer"].append(peer_loop(cohort, teacher, student, seed, folder))
            correct["TextBrewer"].append(accuracy(member, student, split))
    texts = 64 * given.steps
    for name in seconds:
        found = ", ".join(f"{100 * value:.1f} %" for value in correct[name])
        print(f"{name}: {texts / min(seconds[name]):.0f} texts/s; validation accuracy {found}")
    print(f"kdshift is {min(seconds['TextBrewer']) / min(seconds['kdshift']):.2f} times as fast")


if __name__ == "__main__":
    main()
