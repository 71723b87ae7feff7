"""A KD step on a GPU: texts a second, where the time goes, the share of the card's bf16 peak.

    python tests/benchmarks/gpu.py [--steps 50] [--batch-size 64] [--length 128]

BERT Large teaches DistilBERT Base, random weights. Without a GPU it says so and exits 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

# Dense bf16 peaks from the makers' data sheets, in units of 1e12 operations a second.
PEAKS = {
    "V100": 125.0,
    "T4": 65.0,
    "A10": 125.0,
    "A100": 312.0,
    "L4": 121.0,
    "L40": 181.0,
    "H100": 989.0,
    "H200": 989.0,
}


def flops_per_token(model: torch.nn.Module, length: int, hidden: int, layers: int) -> float:
    """Operations of a forward pass for one token: two a weight outside the embeddings, and attention."""
    weights = sum(p.numel() for name, p in model.named_parameters() if "embeddings" not in name)
    return 2.0 * weights + 4.0 * length * hidden * layers


def timed(work: Callable[[], object], repeats: int) -> float:
    """Seconds of one call, the mean of `repeats` after three warm ones."""
    for _ in range(3):
        work()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--length", type=int, default=128)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU here: nothing is measured")
        sys.exit(0)
    print(json.dumps(measure(options.steps, options.batch_size, options.length), indent=1))


def measure(steps: int, size: int, length: int) -> dict[str, object]:
    """The figures of a step of `size` original and as many augmented texts of `length` tokens."""
    from accelerate import Accelerator
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        DistilBertConfig,
        DistilBertForSequenceClassification,
    )

    from empirical.augment.replacement import NearestNeighbours
    from empirical.config import AugmentConfig, RunConfig, TrainConfig
    from empirical.models.classifier import arguments
    from empirical.models.last_layer import read_first_token_only
    from empirical.randomness import step_generator
    from empirical.tokens.batch import Batch
    from empirical.tokens.corpus import join_batches
    from empirical.training.halves import Half
    from empirical.training.held_out import EvaluationSplit
    from empirical.training.student import Student

    precision = "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    accelerator = Accelerator(mixed_precision="no")
    large = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
    teacher = BertForSequenceClassification(BertConfig(num_labels=3, **large)).eval().to(accelerator.device)
    model = DistilBertForSequenceClassification(DistilBertConfig(num_labels=3))
    shortened = [read_first_token_only(teacher), read_first_token_only(model)]
    rng = np.random.default_rng(0)
    ids_BL = rng.integers(1000, 30000, (size, length)).astype(np.int32)
    full_BL = np.ones(ids_BL.shape, dtype=bool)
    batch = Batch(ids_BL=ids_BL, mask_BL=full_BL, eligible_BL=full_BL, segment_BL=np.zeros(ids_BL.shape, dtype=np.int8))
    label_B = np.zeros(size, dtype=np.int64)
    split = EvaluationSplit(corpus=join_batches([batch], 0), label_N=label_B, metrics=("accuracy",))
    config = RunConfig(augment=AugmentConfig(), train=TrainConfig(batch_size=size, precision=precision))
    student = Student(
        config=config,
        model=model,
        tokenizer="none",
        splits={"test": split},
        metric="accuracy",
        accelerator=accelerator,
        precision=precision,
    )
    augmenter = NearestNeighbours(rng.integers(1000, 30000, (30522, 15)).astype(np.int32))
    kept_BC = torch.zeros(size, 3, device=accelerator.device)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float16

    def score() -> torch.Tensor:
        with torch.inference_mode(), torch.autocast("cuda", dtype):
            return teacher(**arguments(teacher, batch, accelerator.device)).logits.float()

    original = Half(batch=batch, label_B=label_B, teacher_BC=kept_BC)
    augmented = Half(batch=batch, label_B=label_B, teacher_BC=score().clone())
    parts = {
        "augment (in the background)": timed(lambda: augmenter(batch, 0.3, step_generator(0, 1, 1)), steps),
        "teacher": timed(score, steps),
        "student": timed(lambda: student.train_step(original, augmented), steps),
    }
    whole = parts["teacher"] + parts["student"]
    work = size * length * flops_per_token(teacher, length, 1024, 24)
    work += 3 * 2 * size * length * flops_per_token(model, length, 768, 6)
    name = torch.cuda.get_device_name()
    peak = next((value for key, value in sorted(PEAKS.items(), reverse=True) if key in name), None)
    return {
        "device": name,
        "precision": precision,
        "texts_per_second": 2 * size / whole,
        "milliseconds": {part: 1e3 * seconds for part, seconds in parts.items()},
        "share": {part: parts[part] / whole for part in ("teacher", "student")},
        "tflops": work / whole / 1e12,
        "share_of_bf16_peak": None if peak is None else work / whole / 1e12 / peak,
        "last_layer_shortened": shortened,
        "peak_memory_gib": torch.cuda.max_memory_allocated() / 2**30,
    }


if __name__ == "__main__":
    main()
