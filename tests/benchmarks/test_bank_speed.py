"""Speed of the bank: `pytest -m benchmark_ratio tests/benchmarks/test_bank_speed.py`; ratios in one process.

A second `curves` run that asks nothing is held by `tests/empirical/bank/test_study_run.py`; static students have
`test_static_speed.py`.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from empirical.bank.arms import BankTargets, Bench, arms
from empirical.bank.light import Job, NgramInputs, fit_linear
from empirical.bank.making import Bank, make_bank
from empirical.bank.networks import TokenInputs, fit_network
from empirical.bank.plan import BankPlan, Shift
from empirical.bank.study import Check, Size, Study
from empirical.config import ModelConfig, TaskConfig
from empirical.models.classifier import build_model, embedding_matrix, load_tokenizer
from empirical.tasks.load import load_task
from empirical.teachers.answering import NetworkAnswers
from empirical.teachers.fine_tuned import Teacher
from empirical.teachers.onnx_answers import OnnxAnswers

pytestmark = pytest.mark.benchmark_ratio


def seconds_of(work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bank, NetworkAnswers]:
    """Tweets, and a MiniLM whose head is fresh: its answers cost what a teacher's do."""
    plan = BankPlan(task=TaskConfig(name="tweets", max_length=64), pool=440, copies=1, test_size=500,
                    shifts=(Shift(augmenter="random", degrees=(0.3,)),))  # fmt: skip
    task, model = load_task(plan.task), ModelConfig()
    tokenizer = load_tokenizer(model)
    teacher = Teacher(build_model(model, task.labels, 0), tokenizer, task.labels)
    made = Bank(plan=plan, task=task, tokenizer=tokenizer, embeddings=embedding_matrix(model),
                root=tmp_path_factory.mktemp("bank"))  # fmt: skip
    return made, NetworkAnswers(teacher, "minilm", task.labels)


def test_scoring_a_bank_keeps_nine_tenths_of_the_bare_forward_pass(bank, record_property):
    made, teacher = bank
    units = list(made.plan.units())
    copies = [made.copies(unit).corpus for unit in units]
    batches = [corpus.batch(index) for corpus in copies for index in corpus.by_length(np.arange(len(corpus)), 64)]
    teacher.answer(batches[0])
    bare = seconds_of(lambda: [teacher.answer(batch) for batch in batches]) / sum(map(len, batches))
    whole = seconds_of(lambda: make_bank(made, teacher, units=units)) / sum(unit.size for unit in units)
    record_property("ratio", bare / whole)
    print(f"bank scoring: {bare / whole:.2f} of bare forward throughput, {1e3 * whole:.1f} ms a text")
    assert bare / whole > 0.9


def test_a_thousand_light_students_cost_a_fiftieth_of_bilstm_runs(bank, record_property):
    made, teacher = bank
    check = Check(student="bilstm", data_size=55, replicates=2, augmenters=("random",), degrees=(0.3,), steps=200,
                  batch_size=32, learning_rate=3e-3, hidden_size=150)  # fmt: skip
    study = Study(pool=440, copies=1, shifts=made.plan.shifts, sizes=(Size(data_size=55),), checks=(check,))
    targets = BankTargets(made, teacher, made.store(teacher))
    light, heavy = (Bench(made, made.plan, inputs) for inputs in (NgramInputs(), TokenInputs(64)))
    jobs = [
        Job(arm=arm, replicate=number, own_N=np.arange(55 * number, 55 * (number + 1)), targets=targets)
        for number in range(8)
        for arm in arms(study, "linear", study.sizes[0])
    ]
    fit_linear(jobs[:2], light, study)
    each = seconds_of(lambda: fit_linear(jobs, light, study)) / len(jobs)
    run = seconds_of(lambda: fit_network(jobs[1:2], heavy, study, check))
    record_property("ratio", run / each)
    print(
        f"a BiLSTM run {run:.1f} s, a linear student {each:.3f} s: {run / each:.0f}x; 1,000 of them {1e3 * each:.0f} s"
    )
    assert run / each > 50


def test_an_int8_teacher_asked_text_by_text_is_faster_than_its_network_in_batches(bank, record_property):
    made, network = bank
    corpus = made.pool.pool.corpus
    batches = [corpus.batch(index) for index in corpus.by_length(np.arange(256), 64)]
    taken = {}
    for name, teacher in {
        "torch": network,
        "onnx": OnnxAnswers(network, made.root / "onnx", int8=False),
        "onnx-int8": OnnxAnswers(network, made.root / "onnx", int8=True),
    }.items():
        teacher.answer(batches[0])
        taken[name] = seconds_of(lambda asked=teacher: [asked.answer(batch) for batch in batches]) / 256
    record_property("ratio", taken["torch"] / taken["onnx-int8"])
    print("a teacher's answer, core time: " + ", ".join(f"{name} {1e3 * taken[name]:.1f} ms" for name in taken))
    assert taken["torch"] / taken["onnx-int8"] > 1.3 and taken["torch"] / taken["onnx"] > 0.8
