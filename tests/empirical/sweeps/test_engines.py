"""Engines: a two-node Ray cluster on loopback with a worker killed in the middle, and submitit's jobs."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from empirical.sweeps.engines import Engine, Requeued
from empirical.sweeps.execute import run_sweep
from tests.empirical.fake_cohort import fake_run, killed_once, logged, sweep_of
from theory.errors import InputError

ROOT = str(Path(__file__).parents[3])


def test_no_ray_cluster_at_that_address(tmp_path):
    pytest.importorskip("ray")
    with pytest.raises(InputError, match="running Ray cluster"):
        run_sweep(sweep_of(tmp_path, degrees=(0.0,)), tmp_path / "a", run=fake_run,
              engine=Engine(kind="ray", address="127.0.0.1:1"))  # fmt: skip


def started(kind):
    """A cluster of two nodes; on a busy machine Ray gives a node up after 15 seconds, so there are three tries."""
    for attempt in range(3):
        nodes = kind()
        try:
            nodes.add_node(num_cpus=1, include_dashboard=False)
            nodes.add_node(num_cpus=1)
            return nodes
        except Exception:
            nodes.shutdown()
            if attempt == 2:
                raise


@pytest.fixture(scope="module")
def cluster():
    """Two Ray nodes of one CPU each on loopback, shut down at the end."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ROOT)
        nodes = started(Cluster)
        try:
            ray.init(address=nodes.address, log_to_driver=False)
            yield nodes
        finally:
            ray.shutdown()
            nodes.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_ray_nodes_with_a_killed_worker_give_the_local_table(cluster, tmp_path):
    import ray

    assert sum(node["Alive"] for node in ray.nodes()) == 2
    sweep = sweep_of(tmp_path)
    alone = run_sweep(sweep, tmp_path / "alone", run=fake_run)
    spread = run_sweep(sweep, tmp_path / "ray", run=killed_once, engine=Engine(kind="ray", address=cluster.address))
    assert (tmp_path / "ray" / "killed").exists()
    pd.testing.assert_frame_equal(alone, spread)
    assert sorted(logged(tmp_path / "ray")) == sorted(alone["run"])


@pytest.mark.slow
def test_submitits_local_jobs_give_the_local_table(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PYTHONPATH", ROOT)
    sweep = sweep_of(tmp_path, degrees=(0.0, 0.3))
    alone = run_sweep(sweep, tmp_path / "alone", run=fake_run)
    engine = Engine(kind="slurm", executor="local", slurm={"timeout_min": 5})
    jobs = run_sweep(sweep, tmp_path / "jobs", run=fake_run, engine=engine)
    pd.testing.assert_frame_equal(alone, jobs)
    workers = {line.split()[0] for line in (tmp_path / "jobs" / "log").read_text().splitlines()}
    assert len(workers) == 2 and str(os.getpid()) not in workers


def test_a_pre_empted_job_is_submitted_again_with_its_unit():
    pytest.importorskip("submitit")
    job = Requeued(len)
    again = job.checkpoint([1, 2, 3])
    assert again.function is job and again.args == ([1, 2, 3],) and again.function(*again.args) == 3


def test_engines_that_do_not_exist_or_are_not_here(tmp_path):
    sweep = sweep_of(tmp_path, degrees=(0.0,))
    with pytest.raises(InputError, match="local, ray or slurm"):
        run_sweep(sweep, tmp_path / "a", run=fake_run, engine=Engine(kind="dask"))
    with pytest.raises(InputError, match="slurm"):
        run_sweep(sweep, tmp_path / "b", run=fake_run, engine=Engine(kind="slurm"))
