"""Vega-Altair charts of the page: the bound's parts, simulated error, and the gain in text, linked by named signals.

A chart is JSON, so a test can hold it against the table, and it draws without a browser (`static_svg`). Signals that
the page's controls set: `data_size`, `dimension` (theory), `measure`, `axis` (text), `shown` (augmenters), `ladder`
(its token shift).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import altair as alt
import pandas as pd

from kdshift.page.frames import BOUND_PARTS

Chart: TypeAlias = alt.LayerChart | alt.FacetChart

HEIGHT = 260
PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7f7f7f",
)  # told apart by the colour-blind
LETTERS = 12  # pixels


def theory_chart(frame: pd.DataFrame, data_size: int, dimension: int) -> Chart:
    """The risk bound split into its two parts against tau, at the data size and dimension that the page asks for.

    frame: columns tau, data_size, dimension, part, value, bound (see `frames.theory_frame`).
    """
    size = alt.param(name="data_size", value=data_size)
    width = alt.param(name="dimension", value=dimension)
    command = "'kdshift theory bounds --epsilon 0.5 --delta 0.1 --dimension ' + dimension + ' --data-size ' + data_size"
    base = (
        alt.Chart(frame)
        .transform_filter("datum.data_size == data_size && datum.dimension == dimension")
        .transform_calculate(command=command, rank=f"datum.part == '{BOUND_PARTS[0]}' ? 0 : 1")
    )
    parts = base.mark_area(opacity=0.75).encode(
        x=_tau_axis(),
        y=alt.Y("value:Q", stack="zero", title="bound on the error", scale=alt.Scale(domain=[0, 1.5], clamp=True)),
        color=alt.Color("part:N", scale=_colours(BOUND_PARTS), legend=_legend(1)),
        order=alt.Order("rank:Q"),
        tooltip=[*_tips(("tau", ".3f"), ("part", None), ("value", ".3f"), ("bound", ".3f")), "command:N"],
    )
    chart = alt.layer(parts, _level(1.0)).add_params(size, width)
    return _finished(
        chart, "Bound on the student's error against tau, stacked from its two parts; above 1 it says nothing"
    )


def simulation_chart(frame: pd.DataFrame) -> Chart:
    """Simulated error against tau, a line a data size, with the band of its mean.

    frame: columns tau, data_size, error, low, high (see `frames.simulation_frame`).
    """
    sizes = sorted(frame["data_size"].unique())
    labelled = frame.assign(n=[f"n = {size:,.0f}" for size in frame["data_size"]])
    colour = alt.Color(
        "n:N",
        sort=[f"n = {size:,.0f}" for size in sizes],
        scale=alt.Scale(scheme="viridis"),
        legend=_legend(2),
    )
    base = alt.Chart(labelled).encode(x=_tau_axis(), color=colour)
    axis = alt.Y("low:Q", title="error, E|h - f|", scale=alt.Scale(zero=False))
    tips = _tips(("n", None), ("tau", ".3g"), ("error", ".4f"), ("low", ".4f"), ("high", ".4f"))
    layers = _banded(base, axis, alt.Y("error:Q", scale=alt.Scale(zero=False)), tips, opacity=0.2)
    return _finished(alt.layer(*layers), "Simulated error against tau, one line a data size, bands of the mean")


def gain_chart(frame: pd.DataFrame, augmenters: Sequence[str], data_size: int) -> Chart:
    """What a share of changed tokens gains over no augmentation at one data size, a line an augmenter.

    frame: columns augmenter, degree, tau, measure, gain, low, high, replicates (see `frames.gain_frame`); the bands are
    simultaneous over the degrees. Positive is better, whatever the measure.
    """
    measure = alt.param(name="measure", value="distance")
    axis = alt.param(name="axis", value="degree")
    shown = alt.param(name="shown", value=list(augmenters))
    base = (
        alt.Chart(frame[frame["data_size"] == data_size])
        .transform_filter("datum.measure == measure && indexof(shown, datum.augmenter) >= 0")
        .transform_calculate(shift="axis == 'tau' ? datum.tau : datum.degree")
        .transform_filter("isValid(datum.shift)")
        .encode(
            x=alt.X("shift:Q", title="share of tokens changed, or tau", axis=alt.Axis(tickCount=5)),
            color=alt.Color("augmenter:N", scale=_colours(augmenters), legend=_legend(2)),
        )
    )
    tips = _tips(
        ("augmenter", None), ("degree", ".0%"), ("tau", ".2f"), ("gain", ".4f"), ("low", ".4f"), ("high", ".4f"),
        ("replicates", None),
    )  # fmt: skip
    layers = _banded(base, alt.Y("low:Q", title="gain over none"), alt.Y("gain:Q"), tips)
    chart = alt.layer(_level(0.0), *layers).add_params(measure, axis, shown)
    return _finished(chart, f"Gain over no augmentation by share of tokens changed, {data_size:,} texts")


def rung_chart(frame: pd.DataFrame, augmenters: Sequence[str], title: str) -> Chart:
    """One rung of the ladder: the share of the distance to the teacher that a shift saves, a line a data size.

    frame: columns augmenter, tau, data_size, share, low, high of this rung (see `frames.ladder_gain_frame`). The page
    chooses the token shift by the signal `ladder`; a Gaussian shift stands for each.
    """
    chosen = alt.param(name="ladder", value=augmenters[0])
    sizes = sorted(frame["data_size"].unique())
    labelled = frame.assign(n=[f"n = {size:,.0f}" for size in frame["data_size"]])
    order = [f"n = {size:,.0f}" for size in sizes]
    base = (
        alt.Chart(labelled)
        .transform_filter("datum.augmenter == ladder")
        .encode(
            x=alt.X("tau:Q", title="tau (variance of the shift)", axis=alt.Axis(tickCount=5)),
            color=alt.Color("n:N", sort=order, scale=alt.Scale(scheme="viridis", domain=order), legend=_legend(3)),
        )
    )
    percent = alt.Axis(format=".0%", tickCount=5)
    tips = _tips(("n", None), ("tau", ".2f"), ("share", ".1%"), ("low", ".1%"), ("high", ".1%"))
    layers = _banded(base, alt.Y("low:Q", title="share saved", axis=percent), alt.Y("share:Q"), tips)
    chart = alt.layer(_level(0.0), *layers).add_params(chosen)
    return _finished(chart, f"Share of the distance to the teacher saved against tau, a line a data size: {title}")


def static_svg(spec: dict[str, Any], width: int = 520) -> str:
    """A chart's JSON as SVG without a browser, for readers whose scripts are off."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg({**spec, "width": width}))


def specification(chart: Chart) -> dict[str, Any]:
    """The chart's Vega-Lite JSON as a dictionary, its data in `datasets`."""
    with alt.data_transformers.enable("default", max_rows=None):
        spec: dict[str, Any] = chart.to_dict()
    return spec


def _banded(
    base: alt.Chart, low: alt.Y, value: alt.Y, tips: Sequence[alt.Tooltip], opacity: float = 0.15
) -> tuple[alt.Chart, alt.Chart]:
    """The band from `low` to column `high`, and over it the line of `value`; points tell their command as well."""
    band = base.mark_area(opacity=opacity).encode(y=low, y2="high:Q")
    return band, base.mark_line(point=True).encode(y=value, tooltip=[*tips, "command:N"])


def _level(value: float) -> alt.Chart:
    """A dashed line across at a value."""
    rule: alt.Chart = alt.Chart(pd.DataFrame({"y": [value]})).mark_rule(strokeDash=[4, 4], color="#888").encode(y="y:Q")
    return rule


def _tau_axis() -> alt.X:
    return alt.X(
        "tau:Q",
        title="tau (variance of the shift)",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(tickCount=5),
    )


def _colours(names: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(names), range=[PALETTE[i % len(PALETTE)] for i in range(len(names))])


def _legend(columns: int) -> alt.Legend:
    return alt.Legend(title=None, orient="bottom", columns=columns, symbolLimit=12, symbolOpacity=1)


def _tips(*fields: tuple[str, str | None]) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(field, format=shape) if shape else alt.Tooltip(f"{field}:N", title=field.replace("_", " "))
        for field, shape in fields
    ]


def _finished(chart: Chart, description: str) -> Chart:
    """Size, letters and description of every chart; the colours of its text are the page's (light, dark)."""
    done: Chart = (
        chart.properties(width="container", height=HEIGHT, description=description)
        .configure(background="transparent", font="system-ui, sans-serif")
        .configure_axis(labelFontSize=LETTERS, titleFontSize=LETTERS, titleFontWeight="normal", gridOpacity=0.3)
        .configure_legend(labelFontSize=LETTERS, titleFontSize=LETTERS, labelLimit=320)
        .configure_view(stroke=None)
    )
    return done
