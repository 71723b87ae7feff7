"""A fine-tuned network answering under ONNX Runtime: in float32 the same teacher, in int8 one of its own.

kdshift empirical bank curves-demo   # with `runtime = "onnx-int8"` in the study

Shapes: N texts, C classes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from empirical.files import replacing, write_atomically
from empirical.models.onnx_export import OnnxClassifier, export_onnx, quantise
from empirical.tasks.spec import Split
from empirical.teachers.answering import NetworkAnswers, token_contents
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import encode_corpus

COMPARED = 512  # texts on which the two versions are compared


class OnnxAnswers:
    """A network's exported model as one who answers, with a key of its own: its answers are another teacher's.

    Dynamic quantisation takes its scale from everything in a pass, so an int8 model is asked one text at a time: an
    answer must depend on its text alone. The exported files are kept in `folder`.

    Raises:
        InputError: the packages of the extra `onnx` are not installed, or the model cannot be traced.
    """

    def __init__(self, network: NetworkAnswers, folder: Path, *, int8: bool) -> None:
        self.network, self.int8 = network, int8
        self.name = f"{network.name} ({'int8' if int8 else 'fp32'} under ONNX Runtime)"
        self.labels = network.labels
        self.key = f"{network.teacher.hash}-onnx-{'int8' if int8 else 'fp32'}"
        self.file = folder / f"{self.key}.onnx"
        if not self.file.exists():
            self._export(folder)
        self.session = OnnxClassifier(self.file, threads=torch.get_num_threads())

    def _export(self, folder: Path) -> None:
        exact = folder / f"{self.network.teacher.hash}-onnx-fp32.onnx"
        if not exact.exists():
            with replacing(exact) as draft:
                export_onnx(self.network.teacher.model, draft)
        if self.int8:
            with replacing(self.file) as draft:
                quantise(exact, draft)

    def contents(self, batch: Batch) -> list[bytes]:
        """For each text its token ids, as 16 bytes."""
        return token_contents(batch)

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        """Logits, float32 of shape (N, C)."""
        if not self.int8:
            return self.session.logits(batch)[:, self.network.teacher.column_C]
        rows = [self.session.logits(batch.rows(np.array([row]))) for row in range(len(batch))]
        return np.concatenate(rows)[:, self.network.teacher.column_C]

    def compared(self, split: Split, max_length: int) -> dict[str, Any]:
        """How this teacher differs from the network it was exported from, on (some of) these labelled texts; kept.

        accuracy, network_accuracy: shares of right labels. agreement: of equal labels. largest_difference: of logits.
        """
        kept = self.file.with_suffix(".json")
        if kept.exists():
            found: dict[str, Any] = json.loads(kept.read_text("utf-8"))
            return found
        split = split.take(np.arange(min(COMPARED, len(split))))
        corpus = encode_corpus(self.network.teacher.tokenizer, split.text_a, split.text_b, max_length)
        own_NC, network_NC = (
            np.concatenate([who.answer(corpus.batch(np.array([row]))) for row in range(len(corpus))])
            for who in (self, self.network)
        )
        own_N, network_N = own_NC.argmax(axis=1), network_NC.argmax(axis=1)
        found = {
            "name": self.name,
            "texts": len(corpus),
            "accuracy": float((own_N == split.labels).mean()),
            "network_accuracy": float((network_N == split.labels).mean()),
            "agreement": float((own_N == network_N).mean()),
            "largest_difference": float(np.abs(own_NC - network_NC).max()),
        }
        write_atomically(kept, json.dumps(found, indent=1) + "\n")
        return found
