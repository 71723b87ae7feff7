"""Weights as safetensors: where a model's are, with a converted copy of those that exist as a pickle only.

Some of the paper's models (BERT Small, T5 v1.1, NLLB) are on the hub as `pytorch_model.bin`. Such a file is read once,
tensors alone (`weights_only`), and written as safetensors into the user's cache; everything else loads from there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pickle
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from empirical.files import cache_directory
from theory.errors import InputError

logger = logging.getLogger(__name__)

SAFE = ("model.safetensors", "model.safetensors.index.json")
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")
SETTINGS = ("config.json", "generation_config.json")


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Without transformers' reports and bars of what it loads or saves: kdshift says what a user has to know."""
    from transformers import logging as transformers_logging

    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        transformers_logging.enable_progress_bar()


def safetensors_source(source: str) -> str:
    """What to load the weights of `source` from: itself, or the folder of its converted copy.

    source: a local directory or a hub id. Where nothing is found (or the hub cannot be reached) it is returned as it
    is, so that loading says what is missing. Raises InputError for a pickle that holds more than tensors.
    """
    folder = Path(source)
    if folder.is_dir():
        if any(folder.glob("*.safetensors")) or not any((folder / name).is_file() for name in PICKLED):
            return source
    elif any(_fetched(source, name) for name in SAFE):
        return source
    found = next((file for name in PICKLED if (file := _fetched(source, name))), None)
    if found is None:
        return source
    return str(_converted(source, found))


def _fetched(source: str, name: str) -> Path | None:
    """A file of a local directory or of the hub (or its cache), or None where there is none."""
    if Path(source).is_dir():
        file = Path(source) / name
        return file if file.is_file() else None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        return Path(hf_hub_download(source, name))
    except (EntryNotFoundError, HFValidationError, HfHubHTTPError, OfflineModeIsEnabled, OSError):
        return None


def _converted(source: str, found: Path) -> Path:
    files = _shards(source, found)
    state = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    folder = cache_directory() / "weights" / hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    draft.mkdir(parents=True, exist_ok=True)
    _convert(source, files, draft / SAFE[0])
    for name in SETTINGS:
        if (file := _fetched(source, name)) is not None:
            shutil.copyfile(file, draft / name)
    try:
        draft.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(draft)
    logger.warning("%s has pickled weights only: converted once to safetensors in %s", source, folder)
    return folder


def _shards(source: str, found: Path) -> Sequence[Path]:
    if found.name != PICKLED[1]:
        return [found]
    names = sorted(set(json.loads(found.read_text("utf-8"))["weight_map"].values()))
    shards = [_fetched(source, name) for name in names]
    if missing := [name for name, shard in zip(names, shards, strict=True) if shard is None]:
        raise InputError(f"weights of {source}", f"no file {missing[0]}", "every file that the index names")
    return [shard for shard in shards if shard is not None]


def _convert(source: str, files: Sequence[Path], target: Path) -> None:
    """Write the tensors of pickled files as one safetensors file; names that share memory get a copy each."""
    import torch
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for file in files:
        try:
            loaded = torch.load(file, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            reason = f"{file.name} is damaged or holds more than tensors ({str(error).splitlines()[0][:80]})"
            raise InputError(f"weights of {source}", reason, "safetensors, or a pickle of tensors alone") from None
        for name, tensor in loaded.items():
            shared = tensor.untyped_storage().data_ptr() in seen
            seen.add(tensor.untyped_storage().data_ptr())
            tensors[name] = tensor.clone().contiguous() if shared else tensor.contiguous()
    save_file(tensors, target, metadata={"format": "pt"})
