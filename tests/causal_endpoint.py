"""A causal language model on loopback that speaks the OpenAI protocol: real generation, real log-probabilities."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tests.scripted_endpoint import Reply, completion

Script = Callable[[dict[str, Any], int], Reply]


def tiny_model(seed: int = 0) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """A fresh model of one layer that reads bytes, so that every text and every letter is a row of its tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(BPE({token: index for index, token in enumerate([*alphabet, "<s>"])}, []))
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=257, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=2048, initializer_range=0.5, bos_token_id=256, eos_token_id=256,
    )  # fmt: skip
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="<s>")
    return LlamaForCausalLM(config).eval(), tokenizer


def speaking(model: Any, tokenizer: Any) -> Script:
    """What `scripted_endpoint.serving` asks: each request's messages through the model, one at a time."""
    lock = threading.Lock()

    def script(request: dict[str, Any], number: int) -> Reply:
        ids = prompt_ids(tokenizer, request["messages"])
        with lock, torch.inference_mode():
            if request.get("logprobs"):
                logprob_V = model(input_ids=ids).logits[0, -1].float().log_softmax(dim=0)
                value_K, id_K = logprob_V.topk(int(request.get("top_logprobs", 1)))
                top = [{"token": tokenizer.decode([token]), "logprob": value, "bytes": None}
                       for token, value in zip(id_K.tolist(), value_K.tolist(), strict=True)]  # fmt: skip
                first = {**top[0], "top_logprobs": top}
                return Reply(completion(top[0]["token"], {"content": [first]}))
            torch.manual_seed(int(request.get("seed", 0)))
            made = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=request.get("temperature", 1.0) > 0,
                temperature=max(1e-3, request.get("temperature", 1.0)), max_new_tokens=int(request["max_tokens"]),
                pad_token_id=tokenizer.eos_token_id,
            )  # fmt: skip
        return Reply(completion(tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)))

    return script


def prompt_ids(tokenizer: Any, messages: list[dict[str, str]]) -> torch.Tensor:
    """The messages as the model's own template writes them, or one after the other where it has none."""
    if getattr(tokenizer, "chat_template", None):
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    else:
        text = "\n".join(message["content"] for message in messages)
    return torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])


def letter_shares(model: Any, tokenizer: Any, prompt: str, letters: str) -> list[float]:
    """What the model itself says: its probabilities of these letters after a prompt, as shares."""
    with torch.inference_mode():
        logits_V = model(input_ids=prompt_ids(tokenizer, [{"role": "user", "content": prompt}])).logits[0, -1].float()
    top = logits_V.log_softmax(dim=0)
    mass = {letter: 0.0 for letter in letters}
    for token in range(len(top)):
        letter = tokenizer.decode([token]).strip().upper()
        if letter in mass:
            mass[letter] += math.exp(float(top[token]))
    total = sum(mass.values())
    return [mass[letter] / total for letter in letters]
