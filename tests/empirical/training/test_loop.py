"""The training loop: bit-identical alone, in company and after a resume; sums divided once; budgets; failed runs."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from empirical.config import AugmentConfig, ModelConfig
from empirical.runs.run import ensure_teacher, run_cohort, run_directory
from empirical.training.cohort import Cohort, cohort_key
from empirical.training.loop import Member, train
from empirical.training.steps import Stream
from empirical.training.student import Student
from tests.empirical.tiny_kd import run

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the tiny task and a trained teacher; torch on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("train")
    ensure_teacher(run(folder), folder / "results")
    yield folder
    torch.set_num_threads(threads)


def fresh_root(place, tmp_path):
    """A results folder that shares nothing but the trained teacher."""
    shutil.copytree(place / "results" / "teachers", tmp_path / "teachers")
    return tmp_path


def trained(config, root, **options):
    """The result, the curve and the final weights of a run."""
    result = run_cohort([config], root, save_weights=True, **options)[0]
    return result, *files_of(config, root)


def files_of(config, root):
    folder = run_directory(config, root)
    return pd.read_parquet(folder / "curve.parquet"), (folder / "model" / "model.safetensors").read_bytes()


def members_of(configs, place, tmp_path):
    cohort = Cohort(configs[0], tmp_path / "shared")
    cohort.teacher_model = ensure_teacher(configs[0], place / "results") / "model"
    assert cohort.teacher is not None
    students = [cohort.student(config) for config in configs]
    stream = cohort.stream()
    members = [Member(student=student, folder=tmp_path / str(n)) for n, student in enumerate(students)]
    return members, stream, cohort


def test_a_cohort_is_bit_identical_to_its_members_alone(place, tmp_path):
    base = {"augment": SHIFT, "train": {"evaluate_every": 3}}
    bilstm = ModelConfig(name=str(place / "bert"), architecture="bilstm", hidden_size=8)
    configs = [
        run(place, **base),
        run(place, seed=1, **base),
        run(place, augment=SHIFT, train={"evaluate_every": 2, "learning_rate": 1e-2, "optimizer": "adafactor"}),
        run(place, augment=SHIFT, student=bilstm, train={"distance": "kl", "temperature": 2.0}),
    ]
    assert len({cohort_key(config) for config in configs}) == 1
    together, apart = fresh_root(place, tmp_path / "together"), fresh_root(place, tmp_path / "apart")
    run_cohort(configs, together, save_weights=True)
    for config in configs:
        run_cohort([config], apart, save_weights=True)
        for one, other in zip(files_of(config, together), files_of(config, apart), strict=True):
            assert one.equals(other) if isinstance(one, pd.DataFrame) else one == other
    assert files_of(configs[0], together)[1] != files_of(configs[1], together)[1], "the seed changes nothing"


@pytest.mark.parametrize("stopped_after", [1, 4])
@pytest.mark.parametrize("optimizer", ["adamw", "adafactor"])
def test_a_stopped_run_goes_on_to_the_very_same_end(place, tmp_path, stopped_after, optimizer):
    settings = {"evaluate_every": 2, "optimizer": optimizer, "select": "best-validation", "learning_rate": 3e-3}
    config = run(place, augment=SHIFT, train=settings)
    whole = trained(config, fresh_root(place, tmp_path / "whole"))
    root, asked = fresh_root(place, tmp_path / "parts"), iter(range(100))
    part = run_cohort([config], root, stop=lambda: next(asked) == stopped_after - 1, save_weights=True)[0]
    assert part.status == "stopped" and part.steps == stopped_after
    folder = run_directory(config, root)
    assert (folder / "checkpoint").is_dir() and not (folder / "result.json").exists()
    resumed = trained(config, root)
    assert resumed[1].equals(whole[1]) and resumed[2] == whole[2]
    for field in ("test", "validation", "examples_seen", "teacher_calls", "realised_degree", "selected_step"):
        assert getattr(resumed[0], field) == getattr(whole[0], field)
    assert not (folder / "checkpoint").exists()


def test_a_damaged_checkpoint_is_named_and_not_used(place, tmp_path, caplog):
    config = run(place, train={"checkpoint_every": 2})
    whole = trained(config, fresh_root(place, tmp_path / "whole"))
    root = fresh_root(place, tmp_path / "parts")
    asked = iter(range(100))
    run_cohort([config], root, stop=lambda: next(asked) == 3)
    file = next((run_directory(config, root) / "checkpoint").glob("step-*/model.safetensors"))
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    resumed = trained(config, root)
    assert "is damaged" in caplog.text
    assert resumed[2] == whole[2]


def test_members_at_different_steps_catch_up(place, tmp_path):
    """Killed between the checkpoints of two members: each goes on from its own."""
    configs = [run(place, augment=SHIFT, seed=seed) for seed in (0, 1)]
    whole, root = fresh_root(place, tmp_path / "whole"), fresh_root(place, tmp_path / "parts")
    run_cohort(configs, whole, save_weights=True)
    asked = iter(range(100))
    run_cohort(configs[:1], root, stop=lambda: next(asked) == 3)
    run_cohort(configs, root, save_weights=True)
    for config in configs:
        assert files_of(config, root)[1] == files_of(config, whole)[1]


def test_the_loss_does_not_depend_on_how_a_batch_is_split(place, tmp_path, monkeypatch):
    """Trap: means of micro-batch means; 10 + 10 texts in 1, 3, 10 or as many parts as memory wants: same gradients."""
    gradients = []
    for parts in (1, 3, 10, 2):
        monkeypatch.setattr("empirical.training.student.MICRO_TOKENS", {"cpu": 30 if parts == 2 else 2048})
        student = ModelConfig(name=str(place / "bert"), layers=(0, 3), dropout=0.0)
        settings = {"accumulate": parts, "batch_size": 10, "clip": None, "gamma": 0.3, "beta": 0.2, "precision": "fp32"}
        config = run(place, augment=SHIFT, student=student, train=settings)
        (member,), stream, cohort = members_of([config], place, tmp_path / str(parts))
        kept = cohort.kept_logits(stream)
        caught = []
        member.student.stepper.step = lambda s=member.student, c=caught: c.append(
            torch.cat([p.grad.flatten() for p in s.model.parameters() if p.grad is not None])
        )
        step = next(stream.steps(0, 1))
        teacher = cohort.teacher.logits(step.augmented[cohort.teacher.key])
        reader = member.student.tokenizer
        member.student.train_step(
            (step.original[reader], step.label_B, kept[torch.from_numpy(step.index_B)]),
            (step.augmented[reader], step.augmented_label_A, teacher),
        )
        gradients.append(caught[0])
    for other in gradients[1:]:
        torch.testing.assert_close(gradients[0], other, rtol=1e-4, atol=1e-6)


def test_without_augmented_data_gamma_has_no_effect_and_gamma_one_ignores_it(place, tmp_path):
    still = {"dropout": 0.0, "name": str(place / "bert"), "layers": (0, 3)}
    root = fresh_root(place, tmp_path)
    weights = {}
    for name, gamma, shift in (("half", 0.5, None), ("tenth", 0.1, None), ("shifted", 1.0, SHIFT)):
        config = run(place, augment=shift, student=ModelConfig(**still), train={"gamma": gamma})
        weights[name] = trained(config, root)[2]
    assert weights["half"] == weights["tenth"] == weights["shifted"]


def test_alpha_one_is_fine_tuning(place, tmp_path):
    root = fresh_root(place, tmp_path)
    distilled = run(place, train={"alpha": 1.0})
    tuned = run(place, mode="finetune", train={"alpha": 0.3})
    assert trained(distilled, root)[2] == trained(tuned, root)[2]


def test_the_teacher_scores_originals_once_and_augmented_texts_always(place, tmp_path, monkeypatch):
    """Trap: teacher outputs kept across random augmentation."""
    config = run(place, augment=SHIFT, data_size=20, train={"steps": 8, "batch_size": 8})
    members, stream, cohort = members_of([config], place, tmp_path)
    kept = cohort.kept_logits(stream)
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
    train(members, stream, cohort.teacher, cohort.kept_logits(stream), steps=2)
    model = cohort.teacher.model
    assert not model.training and all(p.grad is None and not p.requires_grad for p in model.parameters())
    model.train()
    with pytest.raises(AssertionError, match="dropout"):
        cohort.teacher.logits(next(iter(stream.corpora.values())).batch(np.arange(2)))


def test_online_augmentation_is_fresh_at_every_step_and_a_function_of_seed_and_step(place, tmp_path):
    """Trap: a loader that re-seeds gives the same 'random' augmentation every epoch."""
    _, stream, _ = members_of([run(place, augment=SHIFT, data_size=8)], place, tmp_path / "a")
    _, again, _ = members_of([run(place, augment=SHIFT, data_size=8)], place, tmp_path / "b")
    steps = list(stream.steps(0, 6))
    late = list(again.steps(3, 6))
    (key,) = stream.corpora
    for one, other in zip(steps[3:], late, strict=True):
        np.testing.assert_array_equal(one.augmented[key].ids_BL, other.augmented[key].ids_BL)
        np.testing.assert_array_equal(one.index_B, other.index_B)
        assert one.new_originals == other.new_originals == 0
    drawn = {np.sort(step.augmented[key].ids_BL, axis=0).tobytes() for step in steps}
    assert len(drawn) == 6, "the same augmentation came twice"


def test_a_budget_of_teacher_calls_ends_a_run_before_it_is_exceeded(place, tmp_path):
    config = run(place, augment=SHIFT, data_size=16, train={"steps": 30, "max_teacher_calls": 60})
    result, curve, _ = trained(config, fresh_root(place, tmp_path))
    assert result.status == "finished"
    assert result.teacher_calls == 16 + 5 * 8 and result.steps == 5
    assert curve["step"].max() == 5


def test_a_budget_of_minutes_ends_a_run(place, tmp_path):
    config = run(place, train={"steps": 500, "max_minutes": 1e-4})
    result, _, _ = trained(config, fresh_root(place, tmp_path))
    assert result.status == "finished" and 1 <= result.steps < 500


def test_a_run_that_diverges_is_a_failed_result_and_the_others_go_on(place, tmp_path):
    wild = run(place, train={"learning_rate": 1e30, "clip": None, "warmup": 0.0})
    calm = run(place)
    root = fresh_root(place, tmp_path)
    failed, finished = run_cohort([wild, calm], root)
    assert failed.status == "failed" and "diverged" in failed.reason
    assert finished.status == "finished"
    on_disk = json.loads((run_directory(wild, root) / "result.json").read_text())
    assert on_disk["reason"] == failed.reason


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("out of memory"), MemoryError(), None])
def test_running_out_of_memory_is_a_failed_result_and_a_bug_is_not(place, tmp_path, monkeypatch, error):
    def starved(self, original, augmented):
        raise error or RuntimeError("shapes do not match")

    monkeypatch.setattr(Student, "train_step", starved)
    if error is None:
        with pytest.raises(RuntimeError, match="shapes do not match"):
            run_cohort([run(place)], fresh_root(place, tmp_path))
        return
    result = run_cohort([run(place)], fresh_root(place, tmp_path))[0]
    assert result.status == "failed" and "out of memory" in result.reason and "batch_size" in result.reason


def test_an_error_of_the_background_thread_reaches_the_caller(place, tmp_path, monkeypatch):
    def broken(self, step, seen):
        raise ZeroDivisionError

    monkeypatch.setattr(Stream, "_make", broken)
    with pytest.raises(ZeroDivisionError):
        run_cohort([run(place)], fresh_root(place, tmp_path))


def test_selection_is_made_on_validation_unless_the_papers_protocol_is_named(place, tmp_path):
    """Trap: checkpoints chosen on the wrong split."""
    root = fresh_root(place, tmp_path)
    settings = {"steps": 24, "evaluate_every": 2, "learning_rate": 1e-2}
    for select, split in (("best-validation", "validation"), ("paper", "test")):
        result, curve, _ = trained(run(place, train={**settings, "select": select}), root)
        values = curve[(curve["split"] == split) & (curve["metric"] == "accuracy")].set_index("step")["value"]
        assert result.scores[split]["accuracy"] == values.max()
        assert result.selected_step == values.idxmax()
        assert result.select == select
    last, curve, _ = trained(run(place, train=settings), root)
    assert last.selected_step == 24


def test_a_student_learns_the_tiny_task_from_its_teacher(place, tmp_path):
    config = run(place, augment=SHIFT, train={"steps": 80, "batch_size": 16, "learning_rate": 5e-3})
    result, curve, _ = trained(config, fresh_root(place, tmp_path))
    assert result.test["accuracy"] > 0.6, "chance is a third"
    assert result.realised_degree == pytest.approx(0.4, abs=0.03)
    assert result.examples_seen == 80 * 32
    losses = curve[curve["metric"] == "loss"]
    assert len(losses) == 1 and losses["value"].iloc[0] > 0
