"""The README's example of `kdshift fit`, run: `python docs/fit_example.py FOLDER [--texts 600] [--minutes 10]`.

Draws texts from the embedded tweets into FOLDER/reviews.csv, fits, exports, and keeps what the commands said in
notebooks/results/fit/tweets-N.json, which `docs/fill.py` reads.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from empirical.files import write_atomically  # noqa: E402
from empirical.tasks.tweets import read_tweets  # noqa: E402

SEED = 1  # of the texts that are drawn
KEPT = ("scores", "measure", "protocol", "recommendation", "calibration", "copies", "answer_choice",
        "student_against_bag_of_words", "ship", "seconds")  # fmt: skip


def draw(path: Path, count: int) -> None:
    """A table of `count` training tweets in their order, columns review and stars."""
    tweets = read_tweets()
    order = np.random.Generator(np.random.Philox(key=SEED)).permutation(len(tweets.train))
    part = tweets.train.take(np.sort(order[:count]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "stars"])
        writer.writerows(
            (text, tweets.labels[label]) for text, label in zip(part.text_a, part.labels.tolist(), strict=True)
        )


def verb(*arguments: str) -> dict[str, Any]:
    """What a verb of the command line prints as JSON."""
    command = [sys.executable, "-m", "kdshift", *arguments, "--json"]
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(printed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=int, default=600)
    parser.add_argument("--minutes", type=float, default=10.0)
    asked = parser.parse_args()
    data, out = asked.folder / "reviews.csv", asked.folder / "reviews-fit"
    draw(data, asked.texts)
    columns = ("--text", "review", "--label", "stars")
    fit = verb("fit", str(data), *columns, "--minutes", str(asked.minutes), "--out", str(out))
    kept = {name: fit[name] for name in KEPT}
    kept["student"] = {name: value for name, value in fit["student"].items() if name != "path"}
    export = verb("export", str(out), "--onnx", "--int8")
    facts = {"texts": asked.texts, "minutes": asked.minutes, "fit": kept, "export": export}
    path = ROOT / "notebooks" / "results" / "fit" / f"tweets-{asked.texts}.json"
    write_atomically(path, json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
