"""A trained classifier as augmenters ask it: its logits and their slope, its labels and tokenizer checked.

Serves `--teacher DIR` and `--student DIR` of `kdshift empirical augment | shift | cost` and runs with such augmenters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from empirical.config import ModelConfig
from empirical.models.classifier import load_classifier, load_tokenizer
from empirical.models.input_gradient import InputGradient
from empirical.teachers.fine_tuned import label_order
from theory.errors import InputError


def frozen_network(
    argument: str,
    source: str,
    tokenizer: Any,
    labels: Sequence[str] | None = None,
    count: Callable[[int], None] = lambda texts: None,
) -> InputGradient:
    """The classifier in a directory (or of a hub id), to be asked about batches of `tokenizer`'s ids.

    argument: the option it came from, for errors. labels: the task's, whose order the logits get; None: its own.
    count: called with the number of texts at every pass.

    Raises:
        InputError: no classifier there, another tokenizer, other labels.
    """
    own = load_tokenizer(ModelConfig(name=source))
    if own.get_vocab() != tokenizer.get_vocab():
        raise InputError(argument, source, "a model with the tokenizer of the augmented texts (give one as --model)")
    model = load_classifier(source)
    return InputGradient(model, None if labels is None else label_order(model, labels), count)
