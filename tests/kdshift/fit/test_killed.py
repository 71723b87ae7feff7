"""kill -9 in the middle of a fit, and of an endpoint's labelling: the next call goes on, and nothing shows."""

from __future__ import annotations

import json
import os
import shutil
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import empirical.endpoint
from empirical.endpoint import Endpoint
from empirical.teachers.language_model import LanguageModelTeacher
from kdshift.cli import main
from kdshift.fit.stages import Stages
from tests import forked
from tests.kdshift.fit.commands import facts_of, few_steps, quick_fit, run_verb
from tests.scripted_endpoint import Reply, chat_logprobs, completion, serving


def fit_until_killed(*command: str) -> None:
    """The command of a fit; it dies when the second student of five is there, its stage not over."""
    plain = Stages.keep_facts

    def keep(self: Stages, name: str, facts: dict[str, Any]) -> None:
        plain(self, name, facts)
        if name == "kind-1":
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stages, "keep_facts", keep)
        few_steps(patch)
        main([*command])


def ask(address: str, folder: Path, texts: list[str]) -> None:
    """One text at a time, so that the order of the calls is known."""
    empirical.endpoint.AT_ONCE = 1
    LanguageModelTeacher(endpoint=Endpoint(address, "m"), labels=("bad", "good"), folder=folder).ask(texts)


TEXTS = [f"text {number}" for number in range(12)]


def timeless(folder: Path) -> dict[str, Any]:
    """What `fit.json` says beside times and places."""
    facts = facts_of(folder)
    facts.pop("seconds")
    for name in ("path", "milliseconds_a_text", "milliseconds_p99"):
        facts["student"].pop(name)
    for tried in facts["student"]["tried"].values():
        tried.pop("seconds")
    sentence = facts["recommendation"].pop("sentence")
    return {**facts, "said": sentence.rsplit(",", 1)[0]}


def test_a_killed_fit_ends_with_the_same_folder(done: Path, quick: None, tmp_path: Path) -> None:
    shutil.copy(done / "texts.csv", tmp_path / "texts.csv")
    # The encoder's place is part of what names a fit, so both are told the same one.
    command = [part.replace(str(tmp_path / "bert"), str(done / "bert")) for part in quick_fit(tmp_path)]
    killed = forked.start(fit_until_killed, *command)
    killed.join(240)
    assert killed.exitcode == -signal.SIGKILL
    assert not (tmp_path / "out" / "fit.json").exists() and any((tmp_path / "out" / "work").iterdir())
    run_verb(*command)
    files = [path for path in sorted((done / "out").rglob("*")) if path.is_file() and path.parent.name != "assets"]
    same = {path.relative_to(done / "out") for path in files} - {
        Path(name) for name in ("fit.json", "card.html", "README.md")
    }
    assert len(same) > 8
    for name in same:
        if name.suffix != ".npz" and not name.name.startswith("export") and name.suffix != ".onnx":
            assert (tmp_path / "out" / name).read_bytes() == (done / "out" / name).read_bytes(), name
    one, other = (np.load(folder / "out" / "bag-of-words" / "weights.npz") for folder in (done, tmp_path))
    assert all(np.array_equal(one[key], other[key]) for key in one.files)
    assert json.dumps(timeless(tmp_path)) == json.dumps(timeless(done))


def test_no_answered_call_is_made_again_after_a_kill(tmp_path: Path) -> None:
    started: list[BaseProcess] = []

    def script(request: dict[str, Any], number: int) -> Reply:
        if number == 9:  # the tenth is under way and never answered
            started[0].kill()
            started[0].join(30)
        return Reply(completion("A", chat_logprobs({"A": 0.6, "B": 0.3, "the": 0.1})))

    with serving(script) as served:
        started.append(forked.start(ask, served.address, tmp_path, TEXTS))
        started[0].join(120)
        assert started[0].exitcode == -signal.SIGKILL
        prompts = [request["messages"][-1]["content"] for request in served.requests]
        assert len(prompts) == 10
        teacher = LanguageModelTeacher(endpoint=Endpoint(served.address, "m"), labels=("bad", "good"), folder=tmp_path)
        assert np.allclose(np.exp(teacher.ask(TEXTS)), 0.5, atol=1e-5)
        later = [request["messages"][-1]["content"] for request in served.requests[10:]]
    assert not set(prompts[:9]) & set(later), "what was answered was kept"
    assert len(later) == 2 * len(TEXTS) - 9
