"""The static student: a mean of embeddings, whatever the order and the padding, loadable without this project."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from empirical.models import mean_embedding
from empirical.models.mean_embedding import MeanEmbeddingConfig, MeanEmbeddingForSequenceClassification


def tiny(**changes) -> MeanEmbeddingForSequenceClassification:
    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "embedding_size": 8, "hidden_size": 6, "num_labels": 3, **changes}
    return MeanEmbeddingForSequenceClassification(MeanEmbeddingConfig(**sizes)).eval()


def test_the_mean_does_not_see_padding() -> None:
    model = tiny()
    ids = torch.tensor([[2, 7, 9, 3]])
    padded = torch.tensor([[2, 7, 9, 3, 0, 0]])
    with torch.inference_mode():
        plain = model(input_ids=ids).logits
        assert torch.allclose(model(input_ids=padded, attention_mask=(padded > 0).long()).logits, plain, atol=1e-6)


def test_logits_are_those_of_the_formula() -> None:
    model = tiny()
    ids = torch.tensor([[5, 9, 9, 30]])
    mean_E = model.embedding.weight[ids[0]].mean(dim=0)
    hidden_H = torch.relu(model.dense.weight @ mean_E + model.dense.bias)
    expected = model.classifier.weight @ hidden_H + model.classifier.bias
    torch.testing.assert_close(model(ids).logits[0], expected)


def test_the_order_of_tokens_does_not_count_and_their_number_does() -> None:
    model = tiny()
    plain, turned, doubled, more = (model(torch.tensor([row])).logits for row in (
        [5, 9, 30], [30, 5, 9], [5, 5, 9, 9, 30, 30], [5, 5, 9, 30]))  # fmt: skip
    torch.testing.assert_close(plain, turned)
    torch.testing.assert_close(plain, doubled)
    assert (plain - more).abs().max() > 1e-4


def test_without_a_mask_the_padding_token_is_the_mask() -> None:
    model = tiny(pad_token_id=7)
    ids = torch.tensor([[5, 9, 30, 7, 7]])
    torch.testing.assert_close(model(ids).logits, model(ids[:, :3]).logits)
    torch.testing.assert_close(model(ids, torch.tensor([[1, 1, 0, 0, 0]])).logits, model(ids[:, :2]).logits)


def test_a_text_without_tokens_gets_finite_logits() -> None:
    model = tiny()
    assert torch.isfinite(model(torch.zeros(1, 3, dtype=torch.long)).logits).all()


def test_it_survives_the_disk_and_is_found_by_its_name(tmp_path) -> None:
    model = tiny(hidden_size=4)
    model.save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).model_type == "kdshift-mean-embedding"
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    ids = torch.tensor([[5, 9, 30]])
    torch.testing.assert_close(again(ids).logits, model(ids).logits)


def test_a_shipped_folder_is_read_by_its_own_class_not_by_the_code_in_it(tmp_path) -> None:
    """In a fresh process, as where a student of `kdshift fit` is named with --student: nothing has its class yet."""
    model = tiny()
    model.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "mean_embedding.py").write_text("raise RuntimeError('code of a folder')")
    names = {"AutoModelForSequenceClassification": "mean_embedding.MeanEmbeddingForSequenceClassification"}
    (tmp_path / "config.json").write_text(json.dumps({**settings, "auto_map": names}))
    loaded = f"load_classifier({str(tmp_path)!r})"
    program = f"from empirical.models.classifier import load_classifier; print({loaded}.config.num_labels)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "3"


def test_its_file_imports_nothing_of_this_project() -> None:
    """It travels in the folders of `kdshift fit` and is loaded where only transformers is installed."""
    tree = ast.parse(inspect.getsource(mean_embedding))
    roots = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    roots |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert roots <= {"__future__", "typing", "torch", "transformers"}
