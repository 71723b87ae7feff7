"""A fresh T5 with gap tokens and a vocabulary of a few words, for span filling without a hub."""

from __future__ import annotations

from pathlib import Path

WORDS = ("the", "house", "is", "red", "green", "good", "bad", "It", ".", "negative.", "neutral.", "positive.")
GAPS = tuple(f"<extra_id_{number}>" for number in range(6))


def write(folder: Path, *, gaps: bool = True) -> str:
    """The directory of the model; without `gaps` its tokenizer lacks T5's gap tokens."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    words = ["<pad>", "</s>", "<unk>", *WORDS]
    backend = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokens = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, **tokens)
    if gaps:
        tokenizer.add_special_tokens({"additional_special_tokens": list(GAPS)})
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2, "decoder_start_token_id": 0}
    config = T5Config(vocab_size=len(tokenizer), pad_token_id=0, eos_token_id=1, **sizes)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return str(folder)
