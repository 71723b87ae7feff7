"""kNN and contextual augmentation against nlpaug's, on the same texts, vectors and model; not part of the tests.

    python -m venv peer && peer/bin/pip install nlpaug gensim 'transformers<5' torch
    python tests/benchmarks/peer_nlpaug.py --peer-python peer/bin/python
    kdshift empirical masked-lm --task tweets --steps 1 --out masked-lm
    python tests/benchmarks/peer_nlpaug.py --peer-python peer/bin/python --language-model masked-lm

nlpaug has an environment of its own; this file runs itself there with `--peer FOLDER`. Both start from text and end
with text, at degree 0.3 and k = 15; nlpaug gets its cap of ten words lifted. Its word vectors are the rows of the
embedded model's table that are whole words.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

DEGREE, NEIGHBOURS = 0.3, 15
CONTEXTUAL = 64  # texts of the contextual augmenters, in one batch


def peer(folder: Path, language_model: str | None) -> None:
    """nlpaug's side: texts a core-second of its word-embedding augmenter and random swap, or of its contextual one."""
    import nlpaug.augmenter.word as naw
    from transformers import PreTrainedTokenizerBase

    # nlpaug 1.1.11 calls these by the names they had before transformers 5.
    for private, public in (("_convert_token_to_id", "convert_tokens_to_ids"),
                            ("_convert_id_to_token", "convert_ids_to_tokens")):  # fmt: skip
        if not hasattr(PreTrainedTokenizerBase, private):
            setattr(PreTrainedTokenizerBase, private, lambda own, given, public=public: getattr(own, public)(given))
    texts = json.loads((folder / "texts.json").read_text())
    if language_model is not None:
        kind = {"model_path": language_model, "model_type": "bert", "action": "substitute", "device": "cpu"}
        contextual = naw.ContextualWordEmbsAug(**kind, aug_p=DEGREE, aug_max=None, top_k=NEIGHBOURS)
        contextual.augment(texts[:2])
        begin = time.process_time()
        contextual.augment(texts)
        print(json.dumps({"contextual": len(texts) / (time.process_time() - begin)}))
        return
    options = {"aug_p": DEGREE, "aug_max": None}
    path = str(folder / "vectors.glove.txt")
    embeddings = naw.WordEmbsAug(model_type="glove", model_path=path, action="substitute", top_k=NEIGHBOURS, **options)
    rates = {}
    for name, augmenter, count in (
        ("word embeddings", embeddings, 200),
        ("random swap", naw.RandomWordAug(action="swap", **options), len(texts)),
    ):
        begin = time.process_time()
        for text in texts[:count]:
            augmenter.augment(text)
        rates[name] = count / (time.process_time() - begin)
    print(json.dumps(rates))


def ours(folder: Path, count: int, language_model: str | None) -> float:
    """Our side: writes the texts and vectors for the peer, and returns our texts a core-second from text to text."""
    from transformers import AutoTokenizer

    from empirical.augment import make_augmenter
    from empirical.augment.lines import augment_texts
    from empirical.config import AugmentConfig, TaskConfig
    from empirical.models.minilm import minilm_path, read_embeddings
    from empirical.randomness import step_generator
    from empirical.tasks.load import load_task
    from empirical.tokens.codec import Codec

    texts = load_task(TaskConfig(name="tweets")).train.text_a[:count]
    tokenizer, vectors = AutoTokenizer.from_pretrained(minilm_path()), read_embeddings(minilm_path())
    if language_model is not None:
        (folder / "texts.json").write_text(json.dumps(texts[:CONTEXTUAL]))
        config = AugmentConfig(augmenter="contextual", language_model=language_model, neighbours=NEIGHBOURS)
        contextual = make_augmenter(config, tokenizer=tokenizer)
        written = partial(augment_texts, contextual, tokenizer, text_b=None, degree=DEGREE, max_length=128)
        written(text_a=texts[:2], rng=step_generator(0, 0, 1))
        begin = time.process_time()
        written(text_a=texts[:CONTEXTUAL], rng=step_generator(0, 1, 1))
        return min(count, CONTEXTUAL) / (time.process_time() - begin)
    vocabulary = Codec.of(tokenizer).vocabulary
    with (folder / "vectors.glove.txt").open("w") as file:
        for index, surface in enumerate(vocabulary.surfaces):
            if vocabulary.ordinary_V[index] and vocabulary.starts_V[index] and surface.isalpha():
                file.write(surface + " " + " ".join(f"{value:.5f}" for value in vectors[index]) + "\n")
    (folder / "texts.json").write_text(json.dumps(texts))
    augmenter = make_augmenter(AugmentConfig(neighbours=NEIGHBOURS), tokenizer=tokenizer, embeddings=vectors)
    begin = time.process_time()
    for start in range(0, len(texts), 256):
        rng = step_generator(0, start, 1)
        augment_texts(augmenter, tokenizer, texts[start : start + 256], None, DEGREE, rng, max_length=128)
    return len(texts) / (time.process_time() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", help="the interpreter of the environment with nlpaug")
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--language-model", help="directory of a masked language model: contextual instead of kNN")
    parser.add_argument("--texts", type=int, default=10_000)
    given = parser.parse_args()
    if given.peer is not None:
        peer(given.peer, given.language_model)
        return
    if given.peer_python is None:
        parser.error("--peer-python is needed: the interpreter of an environment with nlpaug")
    with tempfile.TemporaryDirectory() as folder:
        rate = ours(Path(folder), given.texts, given.language_model)
        model = [] if given.language_model is None else ["--language-model", given.language_model]
        command = [given.peer_python, __file__, "--peer", folder, *model]
        rates = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(f"kdshift {'kNN' if not model else 'contextual'}, text to text: {rate:,.1f} texts per core-second")
    for name, other in rates.items():
        print(f"nlpaug {name}: {other:,.1f} texts per core-second; kdshift is {rate / other:,.1f} times as fast")


if __name__ == "__main__":
    main()
