"""One run, or a cohort of them, each in its directory: skipped when finished, resumed when not.

kdshift empirical distill --task tweets --data-size 0.01 --degree 0.3
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from empirical.config import RunConfig
from empirical.files import replacing
from empirical.metric import majority_score, score
from empirical.models.classifier import load_classifier, load_tokenizer, save_model, source_of, weights_hash
from empirical.runs.layout import RunFiles, foreign_teacher, run_directory, shared_folder, teachers_folder
from empirical.runs.record import (
    is_finished,
    made_by,
    read_result,
    write_config,
    write_curve,
    write_predictions,
    write_result,
)
from empirical.runs.result import RunResult, Scores, description
from empirical.tasks.load import Task
from empirical.teachers.fine_tuned import AUDIT_TEXTS, Teacher
from empirical.tokens.corpus import encode_corpus
from empirical.training.cohort import Cohort, check_cohort, cohort_key, make_cohort, uses_teacher
from empirical.training.loop import Member, train
from empirical.training.student import Student
from theory.errors import InputError, missing_extra
from theory.progress_report import Progress

__all__ = ["Stopped", "TeacherFailed", "cohort_key", "ensure_teacher", "is_finished", "record_failure", "run_cohort",
           "run_directory", "teacher_run"]  # fmt: skip

Stop = Callable[[], bool]


class TeacherFailed(RuntimeError):
    """A teacher that could not be trained, with the reason."""


class Stopped(Exception):
    """Training was asked to stop and has been checkpointed."""


def run_cohort(
    configs: Sequence[RunConfig],
    root: Path,
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
    save_weights: bool = False,
    tensorboard: bool = False,
    compiled: bool = False,
    accept_weak_teacher: bool = False,
) -> list[RunResult]:
    """Train runs of equal `cohort_key` side by side, each in its directory under `root`, and return their results.

    Finished runs are not trained again, started ones go on from their checkpoints, and the teacher is trained first if
    it is not there. A result is what `result.json` holds; one that is `stopped` (`stop` ended the work and the rest is
    in a checkpoint) is not written.

    stop: asked after each step. save_weights: keep the student in `model/`.
    compiled: compile the models first (`torch.compile`), which pays on long runs on a GPU; recorded in the result.
    accept_weak_teacher: learn from a teacher that is no better than the most frequent class too.

    Raises:
        InputError: a user's mistake, or a teacher that is not worth learning from, before any of these runs is written.
    """
    root = Path(root)
    if len({cohort_key(config) for config in configs}) > 1:
        raise ValueError("runs of different cohort keys cannot share a stream of batches")
    known = {config: read_result(run_directory(config, root), config) for config in configs}
    results = {config: result for config, result in known.items() if result is not None}
    pending = [config for config in known if config not in results]
    if pending:
        try:
            check_cohort(pending[0], compiled=compiled)
            teacher = _teacher_model(pending[0], root, progress, stop)
            cohort = make_cohort(
                pending, shared_folder(root), teacher_model=teacher, progress=progress, compiled=compiled
            )
            if not accept_weak_teacher and cohort.teacher is not None and teacher is not None:
                _refuse_weak_teacher(cohort.teacher, teacher, cohort.task, pending[0].task.max_length)
            results |= _train_pending(cohort, pending, root, progress, stop, save_weights, tensorboard)
        except Stopped:
            results |= {config: RunResult.stopped(config) for config in pending}
        except TeacherFailed as error:
            results |= {config: record_failure(config, root, str(error)) for config in pending}
    return [results[config] for config in configs]


def _train_pending(
    cohort: Cohort,
    configs: Sequence[RunConfig],
    root: Path,
    progress: Progress | None,
    stop: Stop | None,
    save_weights: bool,
    tensorboard: bool,
) -> dict[RunConfig, RunResult]:
    students, teacher = cohort.students, cohort.teacher
    places = [RunFiles(run_directory(config, root)) for config in configs]
    for config, files in zip(configs, places, strict=True):
        write_config(config, files.folder)
    kept_NC = cohort.kept_logits(progress)
    cohort.answer_copies(progress)
    members = [
        Member(student=student, folder=files.checkpoint, on_evaluation=_logger(files) if tensorboard else None)
        for student, files in zip(students, places, strict=True)
    ]
    for member in members:
        member.student.seconds = cohort.stream.seconds  # a checkpoint's seconds hold them already
        member.resume()
    train(members, cohort.stream, teacher, kept_NC, steps=configs[0].train.steps, progress=progress, stop=stop)
    shared = {
        "data_size": len(cohort.subset),
        "subset": cohort.subset.digest(),
        "teacher_hash": None if teacher is None else teacher.hash,
        "precision": cohort.precision,
        "compiled": cohort.compiled,
        "answers_asked": cohort.count.asked,
        "answers_kept": cohort.count.kept,
        **made_by(cohort.device),
    }
    results = {}
    for config, student, files in zip(configs, students, places, strict=True):
        if student.done or student.reason:
            tokenizer = cohort.tokenizers[student.tokenizer] if save_weights else None
            results[config] = _record(student, files, shared, tokenizer)
        else:
            results[config] = RunResult.stopped(config, student.step)
    students[0].accelerator.wait_for_everyone()
    return results


def _record(student: Student, files: RunFiles, shared: Mapping[str, Any], tokenizer: Any) -> RunResult:
    """Write what is left of a run that came to its end, `result.json` last; with a tokenizer, its weights too."""
    result = RunResult.model_validate({**description(student.config), **shared, **_outcome(student)})
    if not student.accelerator.is_main_process:
        return result
    write_curve(student.curve, files.folder)
    if not student.reason:
        labels = {name: split.label_N for name, split in student.splits.items()}
        write_predictions(student.outputs, labels, files.folder)
        if tokenizer is not None:
            if student.best_weights is not None:
                student.model.load_state_dict(student.best_weights, strict=False)
            with replacing(files.model) as draft:
                save_model(student.model, tokenizer, draft)
            result = result.model_copy(update={"weights_hash": weights_hash(student.model)})
    write_result(result, files.folder)
    shutil.rmtree(files.checkpoint, ignore_errors=True)
    return result


def _outcome(student: Student) -> dict[str, Any]:
    """How a run ended: its status, its scores at the selected step, what it cost."""
    step = (student.best or {}).get("step", 0)
    ok = not student.reason
    scores: dict[str, Scores] = {name: {"n": len(split.label_N)} for name, split in student.splits.items()}
    for at, split, metric, value in student.curve:
        if ok and at == step and split in scores:
            scores[split][metric] = value
    return {
        "status": "finished" if ok else "failed",
        "reason": student.reason,
        "metric": student.metric,
        "scores": {"validation": {"n": 0}, **scores},
        "selected_step": step,
        "steps": student.step,
        "examples_seen": student.examples_seen,
        "teacher_calls": student.teacher_calls,
        "wall_seconds": round(student.seconds, 3),
        "realised_degree": student.changed / student.eligible if student.eligible else 0.0,
        "teacher_gap": student.gap_sum / student.gap_count if student.gap_count else None,
        "parameters": sum(parameter.numel() for parameter in student.model.parameters()),
    }


def record_failure(config: RunConfig, root: Path, reason: str) -> RunResult:
    """Leave a failed result for a run that could not be trained, or whose training ended in an exception."""
    folder = run_directory(config, root)
    write_config(config, folder)
    result = RunResult.failed(config, reason)
    write_result(result, folder)
    return result


def teacher_run(config: RunConfig) -> RunConfig:
    """The run that fine-tunes a run's teacher, on the whole training split of the task."""
    assert config.teacher is not None and config.teacher_train is not None
    return RunConfig(
        task=config.task,
        mode="finetune",
        student=config.teacher,
        teacher=None,
        teacher_train=None,
        train=config.teacher_train,
    )


def ensure_teacher(config: RunConfig, root: Path, progress: Progress | None = None, stop: Stop | None = None) -> Path:
    """The directory of a run's teacher, with its weights in `model/`; it is trained if it is not there.

    Without `teacher_train` the teacher is one that was fine-tuned elsewhere, a local directory or a hub id.

    Raises:
        InputError: no teacher configured, weights that are missing or damaged.
        TeacherFailed: its training failed. Stopped: `stop` ended it; it goes on from there next time.
    """
    root = Path(root)
    if config.teacher is None:
        raise InputError("teacher", None, "a model to learn from (mode distill)")
    if config.teacher_train is None:
        return _teacher_from_elsewhere(config, root)
    run = teacher_run(config)
    files = RunFiles(run_directory(run, teachers_folder(root)))
    if not files.model.is_dir():
        files.result.unlink(missing_ok=True)
    label = None if progress is None else _prefixed("teacher: ", progress)
    result = run_cohort([run], teachers_folder(root), progress=label, stop=stop, save_weights=True)[0]
    if result.status == "stopped":
        raise Stopped
    if result.status == "failed":
        raise TeacherFailed(f"its teacher failed: {result.reason}")
    if weights_hash(load_classifier(str(files.model))) != result.weights_hash:
        raise InputError(
            f"weights of {files.model}", "not those that were trained", f"delete {files.folder} to train again"
        )
    return files.folder


def _prefixed(prefix: str, progress: Progress) -> Progress:
    return lambda label, done, total: progress(prefix + label, done, total)


def _teacher_from_elsewhere(config: RunConfig, root: Path) -> Path:
    assert config.teacher is not None
    source = source_of(config.teacher)
    if Path(source).is_dir():
        return Path(source)
    files = RunFiles(foreign_teacher(source, config.teacher.digest(), root))
    if not files.model.is_dir():
        model = load_classifier(source)
        with replacing(files.model) as draft:
            save_model(model, load_tokenizer(config.teacher), draft)
    return files.folder


def _teacher_model(config: RunConfig, root: Path, progress: Progress | None, stop: Stop | None) -> Path | None:
    """The directory with the trained teacher's weights, or None where no teacher takes part."""
    if not uses_teacher(config):
        return None
    folder = ensure_teacher(config, root, progress, stop)
    return RunFiles(folder).model if RunFiles(folder).model.is_dir() else folder


def _refuse_weak_teacher(teacher: Teacher, model: Path, task: Task, max_length: int) -> None:
    """Raise InputError for a teacher no better than the majority class: fine-tuning collapses on small sets.

    It is judged by the task's metric on the validation split, or on the test split where there is no other; one that
    was trained here has its scores in its record, another one answers some of the texts.
    """
    name, split = ("validation", task.validation) if len(task.validation) else ("test", task.test)
    record = RunFiles(model.parent)
    result = read_result(record.folder) if record.result.is_file() else None
    if result is not None:
        found = float(result.scores[name][task.metric])
    else:
        split = split.take(range(min(AUDIT_TEXTS, len(split))))
        corpus = encode_corpus(teacher.tokenizer, split.text_a, split.text_b, max_length)
        found = float(score(task.metric, teacher.confusion(corpus, split.labels)))
    constant = majority_score(task.metric, split.labels, len(task.labels))
    if found <= constant:
        scores = f"{task.metric} {found:.4f}, the most frequent class {constant:.4f} on {len(split)} {name} texts"
        allowed = "a better one (teacher_train: more steps, another rate), or --accept-weak-teacher to learn from it"
        raise InputError("teacher", scores, allowed)


def _logger(files: RunFiles) -> Callable[[Student], None]:
    """Writes a student's newest evaluation for TensorBoard."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise missing_extra("tensorboard", "logging") from None

    def write(student: Student) -> None:
        with SummaryWriter(str(files.tensorboard)) as writer:
            for step, split, metric, value in student.curve:
                if step == student.step:
                    writer.add_scalar(f"{split}/{metric}", value, step)

    return write
