"""What the ladder takes of a study, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from empirical.bank.study import Size, load_study
from kdshift.ladder.rungs import RUNGS, LadderConfig, replicates_of, trimmed
from theory.errors import InputError

SIZES = (Size(data_size=55), *(Size(data_size=count, copies=2) for count in (220, 880, 3520)))
STUDY = load_study("curves-tweets").model_copy(update={"pool": 3520, "sizes": SIZES})


def test_a_study_is_trimmed_to_augmenters_and_sizes_without_controls() -> None:
    found = trimmed(STUDY, LadderConfig(augmenters=("random",), data_sizes=(220, 55)))
    assert [shift.augmenter for shift in found.shifts] == ["random"]
    assert [size.data_size for size in found.sizes] == [220, 55]
    assert not (found.unlabelled or found.equal_compute or found.finetune or found.same_teacher)
    assert found.bank_of(found.sizes[0]).pool == STUDY.pool
    assert {size.copies for size in found.sizes} == {2}  # n = 55 has four in the study, n = 220 two


def test_replicates_are_what_the_pool_holds_up_to_a_limit() -> None:
    config = LadderConfig(replicates=10)
    counts = {size.data_size: replicates_of(STUDY, size, config) for size in STUDY.sizes}
    assert counts == {55: 10, 220: 10, 880: 4, 3520: 1}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"augmenters": ("knm",)}, "augmenter"),
        ({"data_sizes": (3520,)}, "data_size"),
        ({"data_sizes": (100,)}, "data_size"),
    ],
)
def test_what_the_study_lacks_is_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        trimmed(STUDY, replace(LadderConfig(), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [{"tau": ()}, {"tau": (0.0, 1.0)}, {"replicates": 1}, {"features": 1}])
def test_numbers_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(changes))):
        LadderConfig(**changes)  # type: ignore[arg-type]


def test_every_rung_gives_up_one_thing_and_digests_differ_with_what_decides_numbers() -> None:
    assert len({rung.gives_up for rung in RUNGS}) == len({rung.name for rung in RUNGS}) == len(RUNGS) == 7
    assert LadderConfig().digest() == LadderConfig().digest() != LadderConfig(seed=1).digest()
