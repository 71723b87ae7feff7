"""Tokenizers of three kinds, and texts that are hard for them: BERT's WordPiece, a byte-level BPE, a Unigram model."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import decoders as token_decoders
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from empirical.models.minilm import minilm_path, read_embeddings

TOKENIZERS = ("wordpiece", "bytelevel", "unigram")
TEXT_A = [
    "How do you know? All this is their information again.",
    "I don't think the quick brown fox jumped happily over unbelievably lazy dogs",
    "big big big house 😀 [SEP] naïve",
    "Hi",
    "",
    "the the",
]
TEXT_B = ["This information belongs to them", "good dogs bark", "x", "yes, of course", "two words", "the"]
CORPUS = [*TEXT_A, *TEXT_B, "large quickly cat kind thing walk talk idea car person small data word begin"] * 20


def trained(kind: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE (RoBERTa's kind) or Unigram (T5's kind) tokenizer, trained here on a few lines."""
    special = ["<pad>", "<unk>", "<s>", "</s>"]
    if kind == "bytelevel":
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = token_decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special, initial_alphabet=alphabet)
        template = ("<s> $A </s>", "<s> $A </s> </s> $B </s>")
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = token_decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>")
        template = ("$A </s>", "$A </s> $B </s>")
    tokenizer.train_from_iterator(CORPUS, trainer)
    ids = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single=template[0], pair=template[1], special_tokens=ids)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def tokenizer_of(kind: str) -> PreTrainedTokenizerFast:
    """The tokenizer of this kind, one of `TOKENIZERS`."""
    return AutoTokenizer.from_pretrained(minilm_path()) if kind == "wordpiece" else trained(kind)


# BERT numbers its specials and characters first, then words by their frequency: tables over these take a second.
COMMON = 6000


@cache
def common_wordpiece() -> PreTrainedTokenizerFast:
    """The embedded model's own tokenizer, of whose vocabulary only the `COMMON` first and most frequent are left."""
    real = AutoTokenizer.from_pretrained(minilm_path())
    state = json.loads(real.backend_tokenizer.to_str())
    state["model"]["vocab"] = {token: place for token, place in state["model"]["vocab"].items() if place < COMMON}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(state)), **real.special_tokens_map)


def common_vectors() -> NDArray[np.float32]:
    """The embedded model's own vectors of the tokens of `common_wordpiece`, shape (COMMON, D)."""
    return read_embeddings(minilm_path())[:COMMON]
