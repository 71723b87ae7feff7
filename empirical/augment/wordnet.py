"""WordNet's synonyms of English words, from NLTK's own download or from Debian's package `wordnet-base`.

NLTK reads only below `nltk.data.path`, follows no link that leaves it, and wants a file `lexnames` that Debian's
package lacks: the files are copied once into the user's cache, with a `lexnames` from the list in lexnames(5WN).
"""

from __future__ import annotations

import shutil
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

from empirical.files import cache_directory, replacing
from theory.errors import InputError

DEBIAN = Path("/usr/share/wordnet")
PARTS = ("adj", "adv", "noun", "verb")
FILES = (*(name for part in PARTS for name in (f"index.{part}", f"data.{part}", f"{part}.exc")), "cntlist.rev")
# Lexicographer files by number, with their part of speech (1 noun, 2 verb, 3 adjective, 4 adverb): lexnames(5WN).
LEXNAMES = (
    *(("adj.all", 3), ("adj.pert", 3), ("adv.all", 4), ("noun.Tops", 1)),
    *(
        (f"noun.{name}", 1)
        for name in (
            "act animal artifact attribute body cognition communication event feeling food group location motive "
            "object person phenomenon plant possession process quantity relation shape state substance time"
        ).split()
    ),
    *(
        (f"verb.{name}", 2)
        for name in (
            "body change cognition communication competition consumption contact creation emotion motion perception "
            "possession social stative weather"
        ).split()
    ),
    ("adj.ppl", 3),
)


class Thesaurus:
    """Synonyms of single English words; one lock guards NLTK's reader, which seeks in shared files."""

    def __init__(self, reader: Any) -> None:
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        self._reader, self._lock, self._stop_words = reader, threading.Lock(), ENGLISH_STOP_WORDS

    @classmethod
    def open(cls, cache: Path | None = None) -> Thesaurus:
        """The thesaurus of this machine's WordNet; Debian's files are copied below `cache` once.

        Raises:
            InputError: there is no WordNet, with the two commands that install one.
        """
        return _opened(cache or cache_directory())

    def __call__(self, word: str) -> tuple[str, ...]:
        """The synonyms of a word in all its senses, sorted; none for stop words, single letters and non-words.

        Neither the word itself nor its base form counts as a synonym ("dogs" does not become "dog").
        """
        word = word.lower()
        if len(word) < 2 or not (word.isascii() and word.isalpha()) or word in self._stop_words:
            return ()
        with self._lock:
            own = {word, *(base for part in "nvar" if (base := self._reader.morphy(word, part)))}
            names = {name for synset in self._reader.synsets(word) for name in synset.lemma_names()}
        spelled = {name.replace("_", " ") for name in names}
        return tuple(sorted(name for name in spelled if name.lower() not in own))


@lru_cache(maxsize=1)
def _opened(cache: Path) -> Thesaurus:
    return Thesaurus(_reader(_root(cache)))


def _reader(root: Any) -> Any:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    class EnglishReader(WordNetCorpusReader):  # type: ignore[misc]  # NLTK is untyped
        """NLTK's reader without its maps to other versions, which serve other languages and need `index.sense`."""

        def map_wn(self, version: str = "wordnet") -> None:
            return None

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The multilingual functions are not available")
        return EnglishReader(root, None)


def _root(cache: Path) -> Any:
    import nltk

    for resource in ("corpora/wordnet", "corpora/wordnet.zip/wordnet/"):
        try:
            return nltk.data.find(resource)
        except LookupError:
            continue
    folder = cache / "nltk_data" / "corpora" / "wordnet"
    if not folder.is_dir():
        _copy_debian(folder)
    if str(cache / "nltk_data") not in nltk.data.path:
        nltk.data.path.append(str(cache / "nltk_data"))
    return nltk.data.find("corpora/wordnet", paths=[str(cache / "nltk_data")])


def _copy_debian(folder: Path) -> None:
    if not all((DEBIAN / name).is_file() for name in FILES):
        commands = "apt-get install wordnet-base, or python -m nltk.downloader wordnet"
        raise InputError("WordNet", "not installed", commands)
    lines = (f"{number:02d}\t{name}\t{part_of_speech}\n" for number, (name, part_of_speech) in enumerate(LEXNAMES))
    with replacing(folder) as draft:
        draft.mkdir()
        for name in FILES:
            shutil.copyfile(DEBIAN / name, draft / name)
        (draft / "lexnames").write_text("".join(lines))
