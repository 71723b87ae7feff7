"""Which degree pays at the paid stage and which at the free one: `python docs/two_stages.py FOLDER [--minutes 6]`.

The paid teacher is a stand-in that can be run anywhere: a bag of words fitted on 20,000 other tweets, served on
loopback as an OpenAI-compatible endpoint. `kdshift fit` does the rest; its `stages.csv` goes to notebooks/results/fit/.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.fit_example import SEED, draw  # noqa: E402
from empirical.tasks.tweets import read_tweets  # noqa: E402
from kdshift.fit.baselines import BagOfWords  # noqa: E402
from tests.scripted_endpoint import Reply, chat_logprobs, completion, letter_of, serving, text_of  # noqa: E402

TEXTS, OTHERS = 600, 20_000
DEGREES = "0.1,0.3,0.6"


def teacher() -> BagOfWords:
    """A bag of words of tweets that are not among those drawn."""
    tweets = read_tweets()
    order = np.random.Generator(np.random.Philox(key=SEED)).permutation(len(tweets.train))
    return BagOfWords.fit(tweets.train.take(order[-OTHERS:]), tweets.labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=6.0)
    asked = parser.parse_args()
    draw(asked.folder / "reviews.csv", TEXTS)
    words, lock = teacher(), threading.Lock()

    def script(request: dict[str, Any], number: int) -> Reply:
        with lock:
            p_C = words.predict_proba([text_of(request)])[0]
        mass = {letter_of(request, label): float(p) for label, p in zip(words.labels, p_C, strict=True)}
        return Reply(completion(max(mass, key=mass.__getitem__), chat_logprobs(mass)))

    with serving(script) as served:
        command = [sys.executable, "-m", "kdshift", "fit", str(asked.folder / "reviews.csv"), "--text", "review"]
        command += ["--label", "stars", "--teacher", f"{served.address}#bag-of-words", "--student", "static"]
        command += ["--degree", DEGREES, "--paid-degree", DEGREES, "--minutes", str(asked.minutes)]
        subprocess.run([*command, "--out", str(asked.folder / "fit")], cwd=ROOT, check=True)
    target = ROOT / "notebooks" / "results" / "fit"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(asked.folder / "fit" / "stages.csv", target / "stages.csv")


if __name__ == "__main__":
    main()
