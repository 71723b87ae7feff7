"""Teachers and students as one kind of thing: a transformers classifier with its tokenizer (section 5.2).

Any encoder of the hub or of a local directory, whole, cut to some of its layers or made fresh; a BiLSTM; an EncT5.
Weights come from safetensors only (a pickle is converted first, see `empirical.weights`), and no code with them.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from empirical.config import ModelConfig
from empirical.models.bilstm import BiLSTMConfig, BiLSTMForSequenceClassification
from empirical.models.enct5 import EncT5Config, EncT5ForSequenceClassification, from_t5
from empirical.models.last_layer import read_first_token_only
from empirical.models.minilm import minilm_path, read_embeddings
from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Batch, Mixture
from empirical.weights import quiet_loading, safetensors_source
from theory.errors import InputError

logger = logging.getLogger(__name__)
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

HEAD = ("classifier", "score", "pre_classifier", "pooler", "dense", "out_proj")
LOCAL = {"trust_remote_code": False}


def source_of(config: ModelConfig) -> str:
    """Where a model's weights come from: the embedded MiniLM's folder, a local directory, or a hub id."""
    return str(minilm_path()) if config.name == "minilm" else config.name


def load_tokenizer(config: ModelConfig) -> Any:
    """The fast tokenizer of a model.

    Raises:
        InputError: there is none at that place, or it has no padding token.
    """
    source = source_of(config)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, use_fast=True, **LOCAL)
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable("tokenizer", source, error) from None
    if tokenizer.pad_token_id is None:
        raise InputError(f"tokenizer of {source}", "no padding token", "a tokenizer with one")
    return tokenizer


def longest_text(config: ModelConfig) -> float:
    """The most tokens that a model reads: its learned positions, or infinity where it has none."""
    most = getattr(AutoConfig.from_pretrained(source_of(config), **LOCAL), "max_position_embeddings", None)
    return math.inf if most is None else int(most)


def build_model(config: ModelConfig, labels: Sequence[str], seed: int) -> PreTrainedModel:
    """The classifier that `config` describes, in float32, with the task's label names in its configuration.

    labels: names of the C classes in the order of the task's class indices.
    seed: seed of everything in it that is not pretrained (at least the head).

    Raises:
        InputError: weights that are missing, damaged, no safetensors or of another shape; layers that do not exist.
    """
    naming = {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
    }
    build = {"encoder": _encoder, "bilstm": _bilstm, "enct5": _enct5}[config.architecture]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(step_generator(seed, 0, Draws.INITIAL_WEIGHTS).integers(2**62)))
        model: PreTrainedModel = build(config, naming)
        model.float()
    if config.freeze_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    read_first_token_only(model)
    return model


def _settings(config: ModelConfig, naming: dict[str, Any], kind: Any = AutoConfig) -> Any:
    """The model's configuration at its source, with the task's labels and this run's dropout."""
    source = source_of(config)
    try:
        settings = kind.from_pretrained(source, **LOCAL)
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable("model", source, error) from None
    settings.id2label, settings.label2id = naming["id2label"], naming["label2id"]
    if config.dropout is not None:
        for field in DROPOUT_FIELDS:
            if hasattr(settings, field):
                setattr(settings, field, config.dropout)
    return settings


DROPOUT_FIELDS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "dropout",
    "attention_dropout",
    "seq_classif_dropout",
    "dropout_rate",
)


def _encoder(config: ModelConfig, naming: dict[str, Any]) -> PreTrainedModel:
    settings = _settings(config, naming)
    if config.fresh:
        fresh: PreTrainedModel = AutoModelForSequenceClassification.from_config(_resized(settings, config), **LOCAL)
        return fresh
    model = _pretrained(AutoModelForSequenceClassification, source_of(config), settings)
    return model if config.layers is None else keep_layers(model, config.layers)


def _resized(settings: Any, config: ModelConfig) -> Any:
    """The configuration of a fresh encoder: as many layers as named, `hidden_size` wide, four times that inside."""
    if config.layers is not None:
        settings.num_hidden_layers = len(config.layers)
    if config.hidden_size is not None:
        heads = settings.num_attention_heads
        if config.hidden_size % heads:
            raise InputError("hidden_size", config.hidden_size, f"a multiple of the {heads} attention heads")
        settings.hidden_size = config.hidden_size
        for field in ("intermediate_size", "hidden_dim", "d_ff"):
            if hasattr(settings, field):
                setattr(settings, field, 4 * config.hidden_size)
        if hasattr(settings, "d_kv"):
            settings.d_kv = config.hidden_size // heads
    return settings


def _enct5(config: ModelConfig, naming: dict[str, Any]) -> PreTrainedModel:
    settings = _settings(config, naming)
    if settings.model_type == EncT5Config.model_type:
        return _pretrained(EncT5ForSequenceClassification, source_of(config), settings)
    if settings.model_type not in ("t5", "mt5"):
        raise InputError("architecture", "enct5", f"a T5 model; {config.name} is a {settings.model_type}")
    values = {key: value for key, value in settings.to_dict().items() if key not in ("model_type", "architectures")}
    settings = EncT5Config(**values)
    settings.is_encoder_decoder = False
    if config.fresh:
        return EncT5ForSequenceClassification(_resized(settings, config))
    source = source_of(config)
    model = _load(lambda: from_t5(safetensors_source(source), settings, use_safetensors=True, **LOCAL), source)
    return model if config.layers is None else keep_layers(model, config.layers)


def _bilstm(config: ModelConfig, naming: dict[str, Any]) -> PreTrainedModel:
    """A BiLSTM over the tokenizer of `config.name`, its embeddings taken from that model unless `fresh`."""
    source = _settings(config, naming)
    if source.model_type == BiLSTMConfig.model_type:
        return _pretrained(BiLSTMForSequenceClassification, source_of(config), source)
    matrix_VD = None if config.fresh else embedding_matrix(config)
    sizes: dict[str, Any] = {"hidden_size": config.hidden_size, "dropout": config.dropout}
    settings = BiLSTMConfig(
        vocab_size=source.vocab_size if matrix_VD is None else len(matrix_VD),
        pad_token_id=load_tokenizer(config).pad_token_id,
        **({} if matrix_VD is None else {"embedding_size": matrix_VD.shape[1]}),
        **{key: value for key, value in sizes.items() if value is not None},
        **{key: naming[key] for key in ("id2label", "label2id")},
    )
    model = BiLSTMForSequenceClassification(settings)
    if matrix_VD is not None:
        with torch.no_grad():
            model.embedding.weight.copy_(torch.from_numpy(matrix_VD))
    return model


def _pretrained(kind: Any, source: str, settings: Any) -> PreTrainedModel:
    """Pretrained weights; only the head may be missing or of another shape, and is then new."""
    load = {"config": settings, "use_safetensors": True, "ignore_mismatched_sizes": True, "output_loading_info": True}
    loaded: tuple[PreTrainedModel, Any] = _load(
        lambda: kind.from_pretrained(safetensors_source(source), **load, **LOCAL), source
    )
    model, info = loaded
    # transformers 4 lists names of another shape, transformers 5 each with its two shapes
    misshapen = {entry if isinstance(entry, str) else entry[0] for entry in info["mismatched_keys"]}
    absent = set(info["missing_keys"]) | misshapen
    body = sorted(key for key in absent if not any(part in HEAD for part in key.split(".")))
    if body:
        raise InputError(
            f"weights of {source}", f"{body[0]} missing or of another shape", "weights of this architecture"
        )
    return model


def load_classifier(source: str) -> PreTrainedModel:
    """A fine-tuned classifier of any architecture here, whole, with the label names it was saved with.

    Raises:
        InputError: weights or head that are missing, damaged or no safetensors.
    """
    import empirical.models.mean_embedding  # noqa: F401 - a static student's class is known once its module is

    load = {"use_safetensors": True, "output_loading_info": True}
    kind = AutoModelForSequenceClassification
    loaded: tuple[PreTrainedModel, Any] = _load(
        lambda: kind.from_pretrained(safetensors_source(source), **load, **LOCAL), source
    )
    model, info = loaded
    if absent := sorted(info["missing_keys"]):
        raise InputError(f"weights of {source}", f"{absent[0]} missing", "a fine-tuned classifier (set teacher_train)")
    read_first_token_only(model.float())
    return model


def _load(load: Any, source: str) -> Any:
    try:
        with quiet_loading():
            return load()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise _unreadable("weights", source, error) from None
    except Exception as error:  # safetensors' own error is no subclass of the usual ones
        if type(error).__name__ != "SafetensorError":
            raise
        raise InputError(f"weights of {source}", str(error), "an undamaged safetensors file") from None


def _unreadable(what: str, source: str, error: Exception) -> InputError:
    allowed = "`minilm`, a local directory with safetensors weights, or a hub id that can be reached"
    return InputError(what, source, f"{allowed} ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    """The first line of an error's message that says anything, cut to 200 characters."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]


def keep_layers(model: PreTrainedModel, layers: Sequence[int]) -> PreTrainedModel:
    """`model` with only these of its encoder layers (0-based), in this order, as DistilBERT is made from BERT.

    Raises:
        InputError: a layer that does not exist, or a T5 without its first layer (it holds the position bias).
    """
    total = model.config.num_hidden_layers
    if not layers or not all(0 <= index < total for index in layers):
        raise InputError("layers", tuple(layers), f"numbers from 0 to {total - 1}")
    if isinstance(model, EncT5ForSequenceClassification) and layers[0] != 0:
        raise InputError("layers", tuple(layers), "layer 0 first in a T5: it holds the position bias")
    for parent in model.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == total:
                setattr(parent, name, nn.ModuleList([child[index] for index in layers]))
                model.config.num_hidden_layers = len(layers)
                return model
    raise InputError("layers", tuple(layers), f"an encoder with a list of {total} layers; none found in this model")


def check_compiler() -> None:
    """Raise InputError if `torch.compile` can do nothing here (no C++ compiler, or a torch without the means)."""
    try:
        torch.compile(lambda tensor: tensor + 1)(torch.ones(2))
    except Exception as error:  # torch has many ways to say so
        raise InputError("--compile", True, f"a machine where torch.compile works ({_first_line(error)})") from None


def check_tokenizer(model: PreTrainedModel, tokenizer: Any, name: str) -> None:
    """Raise InputError unless every id of the tokenizer has an embedding and both agree on the padding token."""
    rows = _input_weights(model).shape[0]
    if len(tokenizer) > rows:
        raise InputError(f"tokenizer of {name}", f"{len(tokenizer)} tokens", f"at most the model's {rows} embeddings")
    pad = getattr(model.config, "pad_token_id", None)
    if pad is not None and pad != tokenizer.pad_token_id:
        found = f"padding token {tokenizer.pad_token_id}"
        raise InputError(f"tokenizer of {name}", found, f"the tokenizer of these weights, which pads with {pad}")


def embedding_matrix(config: ModelConfig) -> NDArray[np.float32]:
    """The pretrained input embeddings of a model, float32 of shape (V, D), read without building it if it is local."""
    source = source_of(config)
    if Path(source).is_dir():
        return read_embeddings(Path(safetensors_source(source)))
    model = build_model(ModelConfig(name=config.name), ("0", "1"), 0)
    matrix_VD: NDArray[np.float32] = _input_weights(model).detach().numpy()
    return matrix_VD


def _input_weights(model: PreTrainedModel) -> torch.Tensor:
    weights = model.get_input_embeddings().weight
    assert isinstance(weights, torch.Tensor)
    return weights


def arguments(model: nn.Module, batch: Batch, device: torch.device | str = "cpu") -> dict[str, torch.Tensor]:
    """What `model` takes of a batch: ids, mask and, if it knows token types, segments, all of shape (B, L).

    Of virtual texts it takes embeddings in place of ids, shape (B, L, D), mixed from its own table.

    Raises:
        InputError: virtual texts, and a model that takes no embeddings.
    """
    inputs = {
        "input_ids": torch.from_numpy(batch.ids_BL.astype(np.int64)),
        "attention_mask": torch.from_numpy(batch.mask_BL.astype(np.int64)),
    }
    if takes_segments(model):
        inputs["token_type_ids"] = torch.from_numpy(batch.segment_BL.astype(np.int64))
    inputs = {name: tensor.to(device, non_blocking=True) for name, tensor in inputs.items()}
    if batch.mixed is not None:
        inputs["inputs_embeds"] = _mixed_embeddings(model, inputs.pop("input_ids"), batch.mixed)
    return inputs


def _mixed_embeddings(model: nn.Module, ids_BL: torch.Tensor, mixed: Mixture) -> torch.Tensor:
    if "inputs_embeds" not in inspect.signature(type(model).forward).parameters:
        raise InputError("model", type(model).__name__, "an encoder that takes embeddings, for mixkd")
    table = model.get_input_embeddings()  # type: ignore[operator]  # a PreTrainedModel's
    other_BL = torch.from_numpy(mixed.ids_BL.astype(np.int64)).to(ids_BL.device)
    share_B11 = torch.from_numpy(mixed.share_B).to(ids_BL.device)[:, None, None]
    mixed_BLD: torch.Tensor = torch.lerp(table(ids_BL), table(other_BL), share_B11)
    return mixed_BLD


def takes_segments(model: nn.Module) -> bool:
    """Whether a model tells first and second texts apart (BERT does; DistilBERT and RoBERTa do not)."""
    known = getattr(model.config, "type_vocab_size", 0) > 1
    return known and "token_type_ids" in inspect.signature(type(model).forward).parameters


def weights_hash(model: nn.Module) -> str:
    """Sixteen hexadecimal digits that name a model's weights (names, shapes and bytes, SHA-256)."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        array = tensor.detach().cpu().contiguous()
        digest.update(f"{name}{tuple(array.shape)}{array.dtype}".encode())
        digest.update(array.view(torch.uint8).numpy().data if array.ndim else array.numpy().tobytes())
    return digest.hexdigest()[:16]


def save_model(model: PreTrainedModel, tokenizer: Any, directory: Path) -> None:
    """Write weights (safetensors), configuration with label names, and tokenizer: a directory transformers can load."""
    with quiet_loading():
        model.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
