"""Processes that tests may kill, without the cost of imports: forked from a server that has imported what runs need."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess

import pytest

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["empirical.runs.run", "empirical.sweeps.execute", "kdshift.fit.fitting"])


def start(work: Callable[..., object], *arguments: object) -> BaseProcess:
    """A process that calls `work`, a function of an importable module, and has never trained anything before."""
    with pytest.MonkeyPatch.context() as patch:  # the server keeps the environment of its start
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        patch.setenv("ACCELERATE_USE_CPU", "true")
        forkserver.ensure_running()
    process = CONTEXT.Process(target=work, args=arguments)
    process.start()
    return process
