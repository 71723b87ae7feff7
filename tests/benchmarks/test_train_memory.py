"""Memory of a step of BERT Base teaching DistilBERT: `pytest -m slow tests/benchmarks/test_train_memory.py -s`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource
import numpy as np, torch
from accelerate import Accelerator
from transformers import BertConfig, BertForSequenceClassification
from transformers import DistilBertConfig, DistilBertForSequenceClassification
from empirical.tokens.batch import Batch
from empirical.config import AugmentConfig, RunConfig, TrainConfig
from empirical.tokens.corpus import join_batches
from empirical.models.last_layer import read_first_token_only
from empirical.models.classifier import arguments
from empirical.training.halves import Half
from empirical.training.held_out import EvaluationSplit
from empirical.training.student import Student

ids = np.random.default_rng(0).integers(1000, 30000, (64, 128)).astype(np.int32)
full = np.ones(ids.shape, dtype=bool)
batch = Batch(ids_BL=ids, mask_BL=full, eligible_BL=full, segment_BL=np.zeros(ids.shape, dtype=np.int8))
label = np.zeros(64, dtype=np.int64)
teacher = BertForSequenceClassification(BertConfig(num_labels=3)).eval()
student = DistilBertForSequenceClassification(DistilBertConfig(num_labels=3))
assert read_first_token_only(teacher) and read_first_token_only(student)
config = RunConfig(augment=AugmentConfig(), train=TrainConfig(batch_size=64))
split = EvaluationSplit(corpus=join_batches([batch], 0), label_N=label, metrics=("accuracy",))
member = Student(config=config, model=student, tokenizer="t", splits={"test": split}, metric="accuracy",
                 accelerator=Accelerator())
for _ in range(2):
    with torch.inference_mode():
        logits = teacher(**arguments(teacher, batch)).logits
    halves = [Half(batch=batch, label_B=label, teacher_BC=logits.clone()) for _ in range(2)]
    member.train_step(*halves)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_step_of_base_size_stays_under_eight_gibibytes():
    """64 original and 64 augmented texts of 128 tokens, float32, everything in one process on the CPU."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    peak = float(done.stdout)
    print(f"\npeak {peak:.2f} GiB")
    assert peak < 8
