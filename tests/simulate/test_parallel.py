"""Units of work: every result once, whatever computes them; threads as they were."""

from __future__ import annotations

import pytest
import torch

from simulate.parallel import check_device, one_torch_thread, run_units
from theory.errors import InputError


def squared(value: int, more: int) -> int:
    return value**2 + more


def test_every_unit_is_computed_once() -> None:
    """In threads; the other engines compute whole tables in test_experiment."""
    found = list(run_units(squared, [(value, 1) for value in range(7)], 2, "threads"))
    assert sorted(found) == [value**2 + 1 for value in range(7)]


def test_results_come_as_they_finish() -> None:
    stream = run_units(squared, [(value, 0) for value in range(3)], 1, "threads")
    assert next(stream) in {0, 1, 4} and len(list(stream)) == 2


def test_a_failure_reaches_the_caller() -> None:
    with pytest.raises(TypeError):
        list(run_units(squared, [("x", 1)], 1, "threads"))


@pytest.mark.parametrize("name", ["tpu", "meta"])
def test_a_device_that_is_not_here_is_named(name: str) -> None:
    check_device("cpu")
    with pytest.raises(InputError, match=f"--device: found '{name}'"):
        check_device(name)


def test_no_ray_cluster_at_that_address(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")

    def refused(**_: object) -> None:
        raise ConnectionError("ray client connection timeout")

    monkeypatch.setattr(ray, "init", refused)
    with pytest.raises(InputError, match=r"--cluster.*running Ray cluster"):
        list(run_units(squared, [(1, 1)], 1, "cluster", "ray://127.0.0.1:1"))


def test_sums_are_taken_in_one_thread_inside_and_as_before_outside() -> None:
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stopped"), one_torch_thread():
        assert torch.get_num_threads() == 1
        raise RuntimeError("stopped")
    assert torch.get_num_threads() == before
