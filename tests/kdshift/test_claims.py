"""`kdshift compare` follows its tables: known optima give known verdicts, other tables give other ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdshift import claims
from kdshift.curve_sources import load_sources
from tests.kdshift import synthetic

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
