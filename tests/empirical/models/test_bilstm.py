"""The BiLSTM is PyTorch's own on packed texts, takes padding for nothing, and has the printed size."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from empirical.models.bilstm import BiLSTMConfig, BiLSTMForSequenceClassification


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bilstm_is_pytorchs_own_on_packed_texts(layers):
    sizes = {"vocab_size": 30, "embedding_size": 6, "hidden_size": 5, "num_hidden_layers": layers, "num_labels": 3}
    torch.manual_seed(0)
    model = BiLSTMForSequenceClassification(BiLSTMConfig(**sizes)).eval()
    torch.manual_seed(0)
    torch.nn.Embedding(30, 6, padding_idx=0)
    packed = torch.nn.LSTM(6, 5, num_layers=layers, bidirectional=True, batch_first=True)
    mine = {
        f"{name}_l{number}{suffix}": getattr(getattr(layer, side), f"{name}_l0")
        for number, layer in enumerate(model.layers)
        for side, suffix in (("ahead", ""), ("back", "_reverse"))
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    for name, value in packed.named_parameters():
        torch.testing.assert_close(mine[name], value, rtol=0, atol=0)
    lengths = torch.tensor([7, 1, 4, 6])
    mask = torch.arange(7) < lengths[:, None]
    ids = torch.randint(1, 30, (4, 7)) * mask
    texts = torch.nn.utils.rnn.pack_padded_sequence(model.embedding(ids), lengths, True, enforce_sorted=False)
    state = packed(texts)[1][0]
    expected = model.classifier(torch.relu(model.dense(torch.cat([state[-2], state[-1]], dim=1))))
    torch.testing.assert_close(model(ids, mask.long()).logits, expected)


def tiny(**changes):
    sizes = {"vocab_size": 30, "embedding_size": 6, "hidden_size": 5, "num_labels": 3, **changes}
    torch.manual_seed(0)
    return BiLSTMForSequenceClassification(BiLSTMConfig(**sizes)).eval()


@pytest.mark.parametrize("layers", [1, 3])
def test_padding_and_the_other_texts_of_a_batch_change_nothing(layers):
    model = tiny(num_hidden_layers=layers)
    lengths = torch.tensor([1, 6, 3])
    mask = torch.arange(9) < lengths[:, None]
    ids = torch.randint(1, 30, (3, 9))  # not zero behind a text: the mask alone decides
    together = model(ids, mask.long()).logits
    for row, length in enumerate(lengths):
        alone = model(ids[row : row + 1, :length], torch.ones(1, length, dtype=torch.long)).logits
        torch.testing.assert_close(together[row], alone[0])


def test_both_directions_are_read():
    """The first and the last token of a text change the logits, each through one direction at least."""
    model = tiny()
    ids = torch.tensor([[3, 4, 5, 6]])
    mask = torch.ones_like(ids)
    plain = model(ids, mask).logits
    for place in (0, 3):
        changed = ids.clone()
        changed[0, place] = 20
        assert (model(changed, mask).logits - plain).abs().max() > 1e-3


def test_the_number_of_weights_is_that_of_the_formula():
    """Four gates of H (E + H) weights and two biases a direction, then a square layer and the classes."""
    model = tiny(num_hidden_layers=2)
    one = [2 * 4 * 5 * (width + 5 + 2) for width in (6, 10)]
    assert model.num_parameters() == 30 * 6 + sum(one) + (10 * 10 + 10) + (10 * 3 + 3)


def test_its_configuration_survives_the_disk_and_is_found_by_its_name(tmp_path):
    model = tiny(num_hidden_layers=2, pad_token_id=4, dropout=0.25)
    model.save_pretrained(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert type(config) is BiLSTMConfig
    assert (config.num_hidden_layers, config.pad_token_id, config.dropout, config.num_labels) == (2, 4, 0.25, 3)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    ids = torch.tensor([[1, 2, 3]])
    torch.testing.assert_close(again(ids, torch.ones_like(ids)).logits, model(ids, torch.ones_like(ids)).logits)
    assert again.embedding.padding_idx == 4
