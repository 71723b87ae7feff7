"""A fine-tuned teacher: its labels' order is checked, its answers kept, dropout off."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from empirical.config import AugmentConfig, ModelConfig
from empirical.runs.run import ensure_teacher, run_cohort
from empirical.training.loop import train
from tests.empirical.tiny_kd import (
    bert,
    cohort_of,
    members_of,
    run,
)
from theory.errors import InputError

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


class TestLabelOrder:
    """Trap: a teacher whose label order is another one than the task's (10 % accuracy on MNLI)."""

    def elsewhere(self, place, names):
        """The trained teacher with its outputs in the order bad, good, fair, under these names."""
        source = ensure_teacher(run(place), place / "results") / "model"
        folder = place / ("teacher-" + "-".join(names))
        folder.mkdir(exist_ok=True)
        for path in source.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        weights = load_file(source / "model.safetensors")
        for name in ("classifier.weight", "classifier.bias"):
            weights[name] = weights[name][[0, 2, 1]].contiguous()
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        settings = json.loads((folder / "config.json").read_text())
        settings["id2label"] = {str(index): name for index, name in enumerate(names)}
        settings["label2id"] = {name: index for index, name in enumerate(names)}
        (folder / "config.json").write_text(json.dumps(settings))
        return run(place, teacher=ModelConfig(name=str(folder)), teacher_train=None, train={"steps": 2})

    def logits(self, config, place):
        cohort = cohort_of([config], place, place / "shared")
        split = cohort.students[0].splits["test"]
        return cohort.teacher.logits(split.corpus.batch(np.arange(len(split.corpus)))), split.label_N

    def test_named_labels_in_another_order_are_put_right_with_a_line_in_the_log(self, place, caplog):
        caplog.set_level(logging.WARNING)
        permuted, label = self.logits(self.elsewhere(place, ("bad", "good", "fair")), place)
        straight, _ = self.logits(run(place), place)
        torch.testing.assert_close(permuted, straight)
        assert (permuted.argmax(dim=1).numpy() == label).mean() > 0.9
        assert "are put into the task's order" in caplog.text

    def test_names_are_compared_without_case(self, place, caplog):
        permuted, _ = self.logits(self.elsewhere(place, ("BAD", "Good", "fair")), place)
        torch.testing.assert_close(permuted, self.logits(run(place), place)[0])

    def test_other_names_are_refused(self, place):
        with pytest.raises(InputError, match="in any order: bad, fair, good"):
            run_cohort([self.elsewhere(place, ("bad", "ugly", "good"))], place / "labels")

    def test_nameless_labels_in_another_order_are_found_by_their_accuracy(self, place):
        config = self.elsewhere(place, ("LABEL_0", "LABEL_1", "LABEL_2"))
        config = config.model_copy(update={"task": config.task.model_copy(update={"validation_size": 60})})
        with pytest.raises(InputError, match=r"as \[0, 2, 1\]"):
            run_cohort([config], place / "labels")

    def test_another_number_of_classes_is_refused(self, place):
        bert(place / "two", labels=("no", "yes"))
        config = run(place, teacher=ModelConfig(name=str(place / "two")), teacher_train=None)
        with pytest.raises(InputError, match="the task's 3 classes"):
            run_cohort([config], place / "labels")


def test_the_teacher_scores_originals_once_and_augmented_texts_always(place, tmp_path, monkeypatch):
    """Trap: teacher outputs kept across random augmentation."""
    config = run(place, augment=SHIFT, data_size=20, train={"steps": 8, "batch_size": 8})
    members, stream, cohort = members_of([config], place, tmp_path)
    kept = cohort.kept_logits()
    teacher = cohort.teacher
    assert teacher.calls == 20 and bool(torch.isfinite(kept).all())
    scored = []
    plain = teacher.logits
    monkeypatch.setattr(teacher, "logits", lambda batch: scored.append(batch.ids_BL.copy()) or plain(batch))
    train(members, stream, teacher, kept, steps=8)
    assert len(scored) == 8 and teacher.calls == 20 + 64
    texts = {row[row > 3].tobytes() for ids in scored for row in ids}
    assert len(texts) > 55, "augmented texts repeat"
    assert members[0].student.teacher_calls == 20 + 64
    files = list((tmp_path / "shared" / "outputs").iterdir())
    assert len(files) == 1 and teacher.hash in files[0].name


def test_kept_outputs_are_the_teachers_and_belong_to_its_weights(place, tmp_path):
    config = run(place, data_size=30)
    _, stream, cohort = members_of([config], place, tmp_path)
    teacher, corpus = cohort.teacher, next(iter(stream.corpora.values()))
    index = np.arange(30)
    kept = teacher.kept_logits(corpus, index, tmp_path / "outputs")
    for row in range(30):
        torch.testing.assert_close(kept[row], teacher.logits(corpus.batch(np.array([row])))[0], rtol=1e-4, atol=1e-5)
    before = teacher.calls
    assert torch.equal(teacher.kept_logits(corpus, index, tmp_path / "outputs"), kept) and teacher.calls == before
    (file,) = (tmp_path / "outputs").iterdir()
    file.write_bytes(file.read_bytes()[:40])
    assert torch.equal(teacher.kept_logits(corpus, index, tmp_path / "outputs"), kept) and teacher.calls == before + 30


def test_the_teacher_is_in_evaluation_mode_and_has_no_gradients(place, tmp_path):
    config = run(place, augment=SHIFT)
    members, stream, cohort = members_of([config], place, tmp_path)
    train(members, stream, cohort.teacher, cohort.kept_logits(), steps=2)
    model = cohort.teacher.model
    assert not model.training and all(p.grad is None and not p.requires_grad for p in model.parameters())
    model.train()
    with pytest.raises(AssertionError, match="dropout"):
        cohort.teacher.logits(next(iter(stream.corpora.values())).batch(np.arange(2)))
