"""The shortened last layer gives the logits and the gradients of the whole one, or leaves the model alone."""

from __future__ import annotations

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    MPNetConfig,
    MPNetForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
    XLNetConfig,
    XLNetForSequenceClassification,
)

from empirical.models.last_layer import read_first_token_only

SIZES = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_labels": 3}
SIZES |= {"intermediate_size": 24, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
DISTIL = {"vocab_size": 40, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "num_labels": 3}
DISTIL |= {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0}


def models():
    torch.manual_seed(0)
    return {
        "bert": lambda: BertForSequenceClassification(BertConfig(**SIZES)),
        "eager bert": lambda: BertForSequenceClassification(BertConfig(**SIZES, attn_implementation="eager")),
        "roberta": lambda: RobertaForSequenceClassification(RobertaConfig(**SIZES)),
        "electra": lambda: ElectraForSequenceClassification(ElectraConfig(**SIZES, embedding_size=16)),
        "distilbert": lambda: DistilBertForSequenceClassification(DistilBertConfig(**DISTIL)),
    }


@pytest.mark.parametrize("kind", list(models()))
@pytest.mark.parametrize("padded", [False, True])
def test_logits_and_gradients_are_those_of_the_whole_layer(kind, padded):
    model = models()[kind]().train()
    ids_BL = torch.randint(5, 40, (4, 9))
    mask_BL = torch.ones_like(ids_BL)
    if padded:
        mask_BL[1, 5:] = mask_BL[2, 2:] = 0
    results = []
    for shortened in (False, True):
        if shortened:
            assert read_first_token_only(model) and model.training
        logits_BC = model(input_ids=ids_BL, attention_mask=mask_BL).logits
        model.zero_grad()
        logits_BC.square().sum().backward()
        gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        results.append((logits_BC, gradients))
    (whole, slopes), (short, others) = results
    torch.testing.assert_close(short, whole, rtol=1e-4, atol=1e-6)
    assert slopes.keys() == others.keys()
    for name, slope in slopes.items():
        torch.testing.assert_close(others[name], slope, rtol=1e-3, atol=1e-5, msg=name)


def test_a_model_that_reads_more_than_the_first_token_is_left_alone():
    class Mean(BertForSequenceClassification):
        def forward(self, input_ids, attention_mask):
            output = super().forward(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
            output.logits = output.logits + output.hidden_states[-1].mean(dim=1)[:, :3]
            return output

    model = Mean(BertConfig(**SIZES)).eval()
    ids_BL = torch.randint(5, 40, (2, 6))
    before = model(ids_BL, torch.ones_like(ids_BL)).logits
    assert not read_first_token_only(model)
    torch.testing.assert_close(model(ids_BL, torch.ones_like(ids_BL)).logits, before)


def test_layers_of_another_build_are_left_alone():
    mpnet = MPNetForSequenceClassification(MPNetConfig(**SIZES))
    xlnet = XLNetForSequenceClassification(XLNetConfig(vocab_size=40, d_model=16, n_layer=2, n_head=2, d_inner=24))
    assert not read_first_token_only(mpnet) and not read_first_token_only(xlnet)


def test_dropout_on_attention_is_still_drawn():
    config = BertConfig(**{**SIZES, "attention_probs_dropout_prob": 0.5, "num_hidden_layers": 1})
    model = BertForSequenceClassification(config).train()
    assert read_first_token_only(model)
    ids_BL = torch.randint(5, 40, (4, 9))
    first, second = (model(input_ids=ids_BL).logits for _ in range(2))
    assert not torch.equal(first, second)
