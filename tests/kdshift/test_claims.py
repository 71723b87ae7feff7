"""`kdshift compare` follows its tables: known optima give known verdicts, other tables give other ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kdshift import claims
from kdshift import text_on_tau as axis
from kdshift.curve_sources import load_sources, paper_source, text_source
from tests.kdshift import synthetic
from theory.errors import InputError

AS_CLAIMED = {
    ("distill", "knn", 200): 0.5, ("distill", "knn", 4000): 0.3, ("distill", "random", 200): 0.2,
    ("finetune", "knn", 200): 0.1, ("finetune", "knn", 4000): 0.1,
}  # fmt: skip
THE_OPPOSITE = {
    ("distill", "knn", 200): 0.1, ("distill", "knn", 4000): 0.5, ("distill", "random", 200): 0.5,
    ("finetune", "knn", 200): 0.5, ("finetune", "knn", 4000): 0.8,
}  # fmt: skip


def scored(tmp_path: Path, best: dict) -> dict:
    synthetic.write_text(tmp_path, synthetic.text_frame(best))
    return claims.score_all(load_sources(tmp_path))


FOLLOWING = ("kd-prefers-larger", "smaller-data-larger-shift", "random-peaks-earlier")


@pytest.mark.parametrize(("best", "expected"), [(AS_CLAIMED, "supported"), (THE_OPPOSITE, "contradicted")])
def test_verdicts_follow_the_table(tmp_path: Path, best: dict, expected: str) -> None:
    found = scored(tmp_path, best)
    for name in FOLLOWING:
        assert found[name]["text"].verdict == expected, (name, found[name]["text"])


def test_an_interior_optimum_is_an_inverted_u_and_its_depth_is_measured(tmp_path: Path) -> None:
    found = scored(tmp_path, {("distill", "knn", 200): 0.3})["inverted-u"]["text"]
    assert found.verdict == "supported"
    assert found.effect == pytest.approx(0.2 * 0.3**2, abs=2e-3)


def test_every_claim_has_every_source_and_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    found = claims.score_all(load_sources(tmp_path))
    for claim in claims.CLAIMS:
        assert tuple(found[claim.name]) == claims.SOURCES
        for evidence in found[claim.name].values():
            assert (evidence.verdict == "not measured") == (evidence.effect is None)
            assert evidence.effect is not None or evidence.note
    assert found["theorem-1"]["theory"].verdict == "contradicted"
    assert found["theorem-1"]["theory"].effect == pytest.approx(0.5 - 1.94659, abs=1e-3)


def test_the_papers_own_tables_are_read_with_their_evaluation_sets() -> None:
    mnli = paper_source().by_task()[0]
    assert [round(curve.data_size) for curve in mnli] == [3927, 7854, 39270, 392702]
    assert mnli[0].shift[np.argmin(mnli[0].error)] == pytest.approx(0.4)
    assert mnli[0].error_se[0] == pytest.approx(np.sqrt(0.6889 * 0.3111 / 9815))


def test_text_curves_pair_their_replicates(tmp_path: Path) -> None:
    source = text_source(synthetic.text_frame(AS_CLAIMED))
    (small, large) = source()
    assert small.replicates is not None and small.replicates.shape == (4, len(synthetic.DEGREES))
    assert small.names == large.names == tuple((seed, seed) for seed in range(4))
    assert small.evaluation == "tweets" and small.test_covariance is not None
    assert (small.data_size, large.data_size) == (200, 4000)


def test_random_replacement_collapses_onto_knn_where_it_moves_texts_twice_as_far() -> None:
    source = text_source(synthetic.text_frame({("distill", "knn", 200): 0.5, ("distill", "random", 200): 0.25}))
    shift = synthetic.shift_frame()
    by_augmenter = {name: source(variant=name)[0] for name in ("knn", "random")}
    moved = axis.on_tau(by_augmenter["random"], shift, "random")
    assert moved is not None and moved.shift == pytest.approx([0.0, 0.2, 0.6, 1.0, 1.6])
    assert axis.collapse(by_augmenter, shift).verdict == "supported"
    same = text_source(synthetic.text_frame({("distill", "knn", 200): 0.4, ("distill", "random", 200): 0.4}))
    assert axis.collapse({name: same(variant=name)[0] for name in ("knn", "random")}, shift).verdict == "contradicted"


def test_terms_that_follow_the_error_rank_the_degrees() -> None:
    frame = synthetic.text_frame({("distill", "knn", 200): 0.3, ("distill", "random", 200): 0.3})
    terms = axis.measured_terms(frame, synthetic.shift_frame())
    assert axis.rank_agreement(terms, "fit").verdict == "supported"
    assert axis.rank_agreement(terms, "fit").effect == pytest.approx(1.0, abs=0.25)
    with pytest.raises(InputError, match="teacher"):
        axis.measured_terms(frame, synthetic.shift_frame()[["augmenter", "degree", "tau", "a_distance"]])


def test_compare_prints_one_json_object(tmp_path: Path) -> None:
    synthetic.write_text(tmp_path, synthetic.text_frame(AS_CLAIMED))
    command = [sys.executable, "-m", "kdshift", "compare", "--results", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    printed = json.loads(done.stdout)
    by_name = {claim["name"]: claim for claim in printed["claims"]}
    expected = claims.score_all(load_sources(tmp_path))["random-peaks-earlier"]["text"]
    assert by_name["random-peaks-earlier"]["sources"]["text"]["effect"] == pytest.approx(expected.effect)


def test_compare_names_a_results_directory_that_is_not_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kdshift", "compare", "--results", "/nowhere"], capture_output=True, text=True
    )
    assert done.returncode == 2 and "--results" in done.stderr and len(done.stderr.splitlines()) == 1
