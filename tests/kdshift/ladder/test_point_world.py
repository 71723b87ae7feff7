"""The ladder's points: whitened texts, teachers of each rung, shifts of the size that they are said to have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from empirical.bank.study import Size
from kdshift.ladder.point_world import World
from kdshift.ladder.rungs import trimmed
from tests.kdshift.ladder.tiny_ladder import CONFIG, tiny_run

OWN = np.arange(16)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    run = tiny_run(tmp_path_factory.mktemp("world"))
    return World(run=replace(run, study=trimmed(run.study, CONFIG)), config=CONFIG)


def size(world: World) -> Size:
    return world.run.study.sizes[0]


def test_pool_texts_are_white(world: World) -> None:
    x = world.bench(world.run.study.sizes[1]).originals[:64]
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(x, rowvar=False), np.eye(world.dimension), atol=1e-6)


def test_the_texts_teacher_answers_from_its_rung_on_and_the_stand_in_before(world: World) -> None:
    tokens = world.originals("tokens", size(world), 0, OWN)
    told = world.originals("teacher", size(world), 0, OWN)
    np.testing.assert_array_equal(tokens.x_Nd, told.x_Nd)
    np.testing.assert_allclose(tokens.target_NC, world.stand_in(tokens.x_Nd))
    np.testing.assert_array_equal(told.target_NC, world.targets.originals(OWN))
    # The teacher is linear in mean embeddings, of which the points keep some directions only.
    unexplained = np.square(tokens.target_NC - told.target_NC).sum() / np.square(told.target_NC).sum()
    assert 0.001 < unexplained < 0.9


def test_gaussian_rungs_change_one_thing_each(world: World) -> None:
    drawn = world.originals("gaussian", size(world), 0, OWN)
    real = world.originals("embeddings", size(world), 0, OWN)
    assert not np.allclose(drawn.x_Nd, real.x_Nd)
    moved = {}
    for rung, own in (("gaussian", drawn), ("embeddings", real)):
        for name, tau, copies in world.copies(rung, size(world), 0, OWN, own):
            assert name == "gaussian" and len(copies.x_Nd) == 2 * len(OWN)
            moved[rung, tau] = copies.x_Nd - np.tile(own.x_Nd, (2, 1))
            np.testing.assert_allclose(copies.target_NC, world.stand_in(copies.x_Nd))
    for tau in CONFIG.tau:
        # The same noise on both rungs, and common random numbers across tau.
        np.testing.assert_allclose(moved["gaussian", tau], moved["embeddings", tau])
        np.testing.assert_allclose(moved["gaussian", tau] / np.sqrt(tau), moved["gaussian", 0.2] / np.sqrt(0.2))
        assert np.square(moved["gaussian", tau]).mean() == pytest.approx(tau, rel=0.25)


def test_token_copies_are_the_banks_and_their_tau_grows_with_the_degree(world: World) -> None:
    own = world.originals("teacher", size(world), 1, OWN + 16)
    found = list(world.copies("teacher", size(world), 1, OWN + 16, own))
    assert [(name, degree) for name, degree, _ in found] == [("knn", 0.3), ("knn", 0.8)]
    measured = world.measured_tau()
    assert measured["none", 0.0] == 0 < measured["knn", 0.3] < measured["knn", 0.8]
    for name, degree, copies in found:
        moved = np.square(copies.x_Nd - np.tile(own.x_Nd, (2, 1))).mean()
        assert moved == pytest.approx(measured[name, degree], rel=0.6)


def test_held_out_points_are_shared_by_sizes_and_apart_from_training(world: World) -> None:
    small, large = (world.held_out("gaussian", "test", one).x_Nd for one in world.run.study.sizes)
    np.testing.assert_array_equal(small, large)
    assert not np.array_equal(small, world.held_out("gaussian", "validation", size(world)).x_Nd[: len(small)])
    assert not np.intersect1d(small, world.originals("gaussian", size(world), 0, OWN).x_Nd).size
