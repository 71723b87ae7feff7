"""Charts as JSON: the rows they were given, named signals for the page's controls, letters that can be read."""

from __future__ import annotations

import pandas as pd

from kdshift.page import charts
from kdshift.page.frames import theory_frame


def test_a_chart_holds_its_table_its_signals_and_a_description():
    frame = theory_frame((30, 300), (5,))
    spec = charts.specification(charts.theory_chart(frame, 300, 5))
    rows = max(spec["datasets"].values(), key=len)
    assert len(rows) == len(frame) and rows[0]["value"] == frame["value"].iloc[0]
    assert {param["name"] for param in spec["params"]} >= {"data_size", "dimension"}
    assert spec["description"] and spec["config"]["axis"]["labelFontSize"] >= 10


def test_static_pictures_are_drawn_without_a_browser():
    rows = [
        {"augmenter": "knn", "degree": degree, "tau": degree, "data_size": 55, "measure": "distance", "gain": 0.1,
         "low": 0.0, "high": 0.2, "replicates": 4, "command": "c"}
        for degree in (0.0, 0.5)
    ]  # fmt: skip
    svg = charts.static_svg(charts.specification(charts.gain_chart(pd.DataFrame(rows), ["knn"], 55)))
    assert svg.startswith("<svg") and "share of tokens changed" in svg and "knn" in svg


def test_a_rung_holds_its_shares_and_the_choice_of_a_token_shift():
    rows = [
        {"augmenter": name, "tau": tau, "data_size": size, "share": 0.1 * tau, "low": 0.0, "high": 0.2, "command": "c"}
        for name in ("knn", "random")
        for size in (55, 880)
        for tau in (0.0, 0.5)
    ]
    spec = charts.specification(charts.rung_chart(pd.DataFrame(rows), ["knn", "random"], "a rung"))
    kept = max(spec["datasets"].values(), key=len)
    assert [row["share"] for row in kept] == [row["share"] for row in rows]
    assert {param["name"]: param["value"] for param in spec["params"]} == {"ladder": "knn"}
    assert "a rung" in spec["description"] and {row["n"] for row in kept} == {"n = 55", "n = 880"}
