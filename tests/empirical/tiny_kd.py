"""Tiny models and a tiny task, made on the spot: the classes of the real ones, learnt in seconds."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

from empirical.config import ModelConfig, RunConfig, TaskConfig, TrainConfig
from empirical.runs.layout import RunFiles, run_directory
from empirical.runs.result import RunResult
from empirical.runs.run import ensure_teacher, run_cohort
from empirical.training.cohort import Cohort, make_cohort
from empirical.training.loop import Member
from empirical.training.steps import Stream

LABELS = ("bad", "fair", "good")
WORDS = [f"{label}{number}" for label in LABELS for number in range(8)] + [f"word{number}" for number in range(40)]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIZES = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 64,
         "initializer_range": 0.1}  # fmt: skip


def tokenizer(words: list[str] = WORDS, pad_first: bool = True) -> PreTrainedTokenizerFast:
    """One token a word, pairs as `[CLS] a [SEP] b [SEP]`."""
    tokens = [*SPECIAL, *words] if pad_first else [*SPECIAL[1:], *words, SPECIAL[0]]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    raw = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    raw.pre_tokenizer = Whitespace()
    raw.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=raw, **names)


def bert(folder: Path, labels: tuple[str, ...] = LABELS, layers: int = 4, seed: int = 0, **sizes: Any) -> Path:
    """A fresh tiny BERT classifier with its tokenizer, saved in `folder`."""
    torch.manual_seed(seed)
    values = {**SIZES, "num_hidden_layers": layers, "vocab_size": len(SPECIAL) + len(WORDS), **sizes}
    config = BertConfig(**values, id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)})
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def distilbert(folder: Path) -> Path:
    """A fresh tiny DistilBERT, saved in `folder`."""
    config = DistilBertConfig(
        vocab_size=len(SPECIAL) + len(WORDS), dim=16, n_heads=2, n_layers=2, hidden_dim=32, max_position_embeddings=64
    )
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def t5(folder: Path) -> Path:
    """A fresh tiny T5 encoder, saved in `folder`."""
    config = T5Config(
        vocab_size=len(SPECIAL) + len(WORDS), d_model=16, d_kv=8, d_ff=32, num_layers=3, num_heads=2, pad_token_id=0,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    T5EncoderModel(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def table(path: Path, rows: int = 240, seed: int = 0, pairs: bool = False) -> Path:
    """A CSV file whose label is the class of most of a text's telling words."""
    rng = np.random.default_rng(seed)
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["text_a", "text_b", "label"] if pairs else ["text", "label"])
        for _ in range(rows):
            label = LABELS[rng.integers(3)]
            telling = [f"{label}{rng.integers(8)}" for _ in range(rng.integers(3, 5))]
            words = telling + [f"word{rng.integers(40)}" for _ in range(rng.integers(1, 6))]
            rng.shuffle(words)
            half = len(words) // 2
            text = [" ".join(words[:half]), " ".join(words[half:])] if pairs else [" ".join(words)]
            writer.writerow([*text, label])
    return path


def run(folder: Path, **changes: Any) -> RunConfig:
    """A run that takes a second: a four-layer tiny BERT teaches two of its layers on the tiny task in `folder`."""
    source = folder / "bert"
    if not source.exists():
        bert(source)
    data = folder / ("pairs.csv" if changes.pop("pairs", False) else "texts.csv")
    if not data.exists():
        table(data, pairs=data.name == "pairs.csv")
    train = {"steps": 6, "batch_size": 8, "learning_rate": 3e-3, **changes.pop("train", {})}
    teacher = TrainConfig(steps=60, batch_size=16, learning_rate=1e-2, warmup=0.05, schedule="constant", alpha=1.0,
                          gamma=1.0)  # fmt: skip
    values = {
        "task": TaskConfig(name=str(data)),
        "student": ModelConfig(name=str(source), layers=(0, 3)),
        "teacher": ModelConfig(name=str(source)),
        "teacher_train": teacher,
        "train": TrainConfig(**train),
    }
    return RunConfig(**{**values, **changes})


def with_teacher(place: Path, root: Path) -> Path:
    """A results folder `root` that shares nothing with that in `place` but the trained teacher."""
    shutil.copytree(place / "results" / "teachers", root / "teachers")
    return root


def cohort_of(configs: Sequence[RunConfig], place: Path, shared: Path) -> Cohort:
    """The cohort of these runs, their teacher from the results in `place` (trained there if need be)."""
    folder = ensure_teacher(configs[0], place / "results")
    model = RunFiles(folder).model
    return make_cohort(configs, shared, teacher_model=model if model.is_dir() else folder)


def trained(config: RunConfig, root: Path, **options: Any) -> tuple[RunResult, pd.DataFrame, bytes]:
    """The result, the curve and the final weights of a run."""
    result = run_cohort([config], root, save_weights=True, **options)[0]
    return result, *files_of(config, root)


def files_of(config: RunConfig, root: Path) -> tuple[pd.DataFrame, bytes]:
    """The curve and the final weights of a finished run."""
    files = RunFiles(run_directory(config, root))
    return pd.read_parquet(files.curve), (files.model / "model.safetensors").read_bytes()


def members_of(configs: Sequence[RunConfig], place: Path, folder: Path) -> tuple[list[Member], Stream, Cohort]:
    """The students of these runs in a cohort, their stream of steps, the cohort."""
    cohort = cohort_of(configs, place, folder / "shared")
    members = [Member(student=student, folder=folder / str(n)) for n, student in enumerate(cohort.students)]
    return members, cohort.stream, cohort
