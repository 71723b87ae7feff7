"""`kdshift cite`: BibTeX of the paper, of this tool, and of what a results directory used.

Works are keyed by what in a results directory shows that they were used: an augmenter, a student, a verb.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from theory.errors import InputError
from theory.replacing import read_frame

PAPER = """@article{wang2023understanding,
  title = {Understanding the Effect of Data Augmentation on Knowledge Distillation},
  author = {Wang, Ziqi and Han, Chi and Bao, Wenxuan and Ji, Heng},
  journal = {arXiv preprint arXiv:2305.12565},
  year = {2023}
}"""
WORKS = {
    "kdshift": "@software{{kdshift,\n"
    "  title = {{kdshift: how far to shift augmented text in knowledge distillation}},\n"
    "  author = {{{{The kdshift developers}}}},\n  version = {{{version}}},\n  year = {{2026}}\n}}",
    "eda": """@inproceedings{wei2019eda,
  title = {{EDA}: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks},
  author = {Wei, Jason and Zou, Kai},
  booktitle = {EMNLP-IJCNLP},
  year = {2019}
}""",
    "synonym": """@article{miller1995wordnet,
  title = {{WordNet}: A Lexical Database for {English}},
  author = {Miller, George A.},
  journal = {Communications of the ACM},
  volume = {38},
  number = {11},
  year = {1995}
}""",
    "back-translation": """@article{forcada2011apertium,
  title = {Apertium: a free/open-source platform for rule-based machine translation},
  author = {Forcada, Mikel L. and others},
  journal = {Machine Translation},
  volume = {25},
  number = {2},
  year = {2011}
}""",
    "minilm": """@inproceedings{wang2020minilm,
  title = {{MiniLM}: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained Transformers},
  author = {Wang, Wenhui and Wei, Furu and Dong, Li and Bao, Hangbo and Yang, Nan and Zhou, Ming},
  booktitle = {NeurIPS},
  year = {2020}
}""",
}


def bibtex(results: Path | None = None) -> str:
    """BibTeX entries of the paper, this tool and, with `results`, of the augmenters and models found there.

    Raises:
        InputError: `results` is not a directory.
    """
    entries = [PAPER, WORKS["kdshift"].format(version=version("kdshift"))]
    if results is not None:
        if not results.is_dir():
            raise InputError("--results", str(results), "an existing directory")
        entries += [WORKS[name] for name in sorted(used(results) & WORKS.keys())]
    return "\n\n".join(entries)


def used(results: Path) -> set[str]:
    """Names of augmenters and models in the tables and configurations under `results`."""
    found: set[str] = set()
    for path in sorted(results.rglob("*.parquet")):
        frame = read_frame(path)
        for column in ("augmenter", "teacher", "student"):
            if column in frame:
                found |= set(_words(frame[column].dropna().astype(str).unique()))
    return found


def _words(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        yield value.casefold()
        yield from value.casefold().replace("(", " ").split()
