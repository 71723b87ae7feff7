"""What of a sweep is done, running, failed and left, read from the disk."""

from __future__ import annotations

import json

import pytest

from empirical.runs.layout import SweepFiles, run_directory
from empirical.runs.record import read_result
from empirical.sweeps import status
from empirical.sweeps.execute import run_sweep
from empirical.sweeps.status import Lookout, active_units, marked, record_sweep, recorded_sweep, sweep_status
from tests.empirical.fake_cohort import fake_run, sweep_of
from theory.errors import InputError


def test_status_counts_what_a_living_process_works_on(tmp_path):
    sweep, out = sweep_of(tmp_path), tmp_path / "out"
    run_sweep(sweep_of(tmp_path, degrees=(0.0,)), out, run=fake_run)
    files = SweepFiles.of("small", out)
    names = [run_directory(run, out).name for run in sweep.runs[4:6]]
    with marked(files, "unit", names) as marker:
        marker.beat("train", 2, 2)
        state = sweep_status(sweep, out)
        assert (state.done, state.running, state.left) == (4, 2, 6)
        assert state.seconds_left == pytest.approx(1.5 * 7)
        dead = json.loads(marker.path.read_text()) | {"pid": 2**22 + 12345}
        marker.path.write_text(json.dumps(dead))
        assert sweep_status(sweep, out).running == 0
    assert not list(files.markers.glob("*"))
    with pytest.raises(InputError, match="small"):
        recorded_sweep("smal", out)


def test_a_lookout_reads_every_result_once_and_sees_new_ones(tmp_path, monkeypatch):
    sweep, out = sweep_of(tmp_path), tmp_path / "out"
    run_sweep(sweep_of(tmp_path, degrees=(0.0,)), out, run=fake_run)
    read = []

    def counting(directory, config):
        result = read_result(directory, config)
        read.extend([directory.name] if result is not None else [])
        return result

    monkeypatch.setattr(status, "read_result", counting)
    lookout = Lookout(sweep, out)
    assert (lookout.look().done, lookout.look().left, len(read)) == (4, 8, 4)
    run_sweep(sweep, out, run=fake_run)
    assert (lookout.look().done, lookout.look().left) == (12, 0)
    assert sorted(read) == sorted(run_directory(run, out).name for run in sweep.runs), "some result was read twice"


def test_markers_say_how_far_a_stage_is_and_go_with_their_unit(tmp_path):
    files = SweepFiles.of("small", tmp_path)
    with marked(files, "unit", ["a", "b"]) as marker:
        marker.beat("train", 3, 3)
        (unit,) = active_units(files).values()
        assert (unit["runs"], unit["stage"], unit["done"], unit["total"]) == (["a", "b"], "train", 3, 3)
    assert active_units(files) == {} and not list(files.markers.iterdir())


@pytest.mark.parametrize("text", ["{", "{}", '{"title": "", "protocol": "validation", "table": null, "runs": [7]}'])
def test_a_damaged_list_of_runs_is_told(tmp_path, text):
    sweep = sweep_of(tmp_path)
    assert not record_sweep(sweep, tmp_path) and not record_sweep(sweep, tmp_path)
    SweepFiles.of("small", tmp_path).definition.write_text(text)
    with pytest.raises(InputError, match="start the sweep again"):
        recorded_sweep("small", tmp_path)
