"""Tokenizers of three kinds, and texts that are hard for them: BERT's WordPiece, a byte-level BPE, a Unigram model."""

from __future__ import annotations

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import decoders as token_decoders
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from empirical.models.minilm import minilm_path

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
