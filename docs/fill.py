"""Fill the generated blocks of README.md and docs/*.md from the committed tables: `python docs/fill.py [--check]`.

A block stands between `<!-- fill NAME -->` and `<!-- end -->`; its text is what the function of that name returns, so
no number there was typed. `--check` changes nothing and ends with status 1 where a block is out of date.
"""

from __future__ import annotations

import csv
import json
import math
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kdshift.claims import CLAIMS, SOURCES, Scores, score_all  # noqa: E402
from kdshift.curve_sources import Sources, load_sources  # noqa: E402
from kdshift.gain_figures import gain_panels  # noqa: E402
from kdshift.page.answer import Found, findings, sentences, worth  # noqa: E402
from kdshift.page.frames import DIMENSIONS, text_curves, trust_radius  # noqa: E402
from kdshift.page.results_page import STUDENT, SYMBOLS, baselines  # noqa: E402
from simulate.experiment_config import presets, read_values  # noqa: E402
from simulate.findings import Finding, decide  # noqa: E402
from simulate.tau_curves import read_curves  # noqa: E402
from theory import printed, repaired, risk  # noqa: E402
from theory.inference.calibrate import detectable  # noqa: E402
from theory.inference.contrast import gains_over_none  # noqa: E402
from theory.inference.curve import ShiftErrorCurve  # noqa: E402
from theory.inference.verdict import is_starred  # noqa: E402

RESULTS = ROOT / "notebooks" / "results"
BLOCK = re.compile(r"(<!-- fill ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


@cache
def sources() -> Sources:
    return load_sources(RESULTS)


@cache
def scored() -> Scores:
    return score_all(sources())


@cache
def found() -> tuple[Found, ...]:
    return tuple(findings(text_curves(sources().light), text_curves(sources().light_error)))


def answer() -> str:
    """The page's own sentences, and the teacher they are about."""
    facts = "; ".join(f"{name} {value}" for name, value in baselines(RESULTS))
    said = [*sentences(list(found())), *worth(sources().exchange, STUDENT)]
    return "\n".join(f"- {sentence}" for sentence in said) + f"\n\n(On tweets in three classes; {facts}.)"


def gains() -> str:
    """Gain in distance over none, at the best degree, by augmenter and data size."""
    sizes = sorted({item.data_size for item in found()})
    lines = ["| augmenter | " + " | ".join(f"n = {size:,}" for size in sizes) + " |", "| --- " * (len(sizes) + 1) + "|"]
    for augmenter in dict.fromkeys(item.augmenter for item in found()):
        cells = []
        for size in sizes:
            item = next(item for item in found() if (item.augmenter, item.data_size) == (augmenter, size))
            gain = item.distance
            part = f"{item.share:.1%} [{gain.low / item.none:.1%}, {gain.high / item.none:.1%}]"
            cells.append(f"{gain.shift:.0%} of words: {part}")
        lines.append(f"| {augmenter} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", copies()])


def copies() -> str:
    """What further copies of the same texts are worth to each student, at one size."""
    evidence = scored()["more-data-helps-kd"]["text"]
    told = [f"{name} student {case.effect:.4f} [{case.low:.4f}, {case.high:.4f}]" for name, case in evidence.cases]
    other = [group for key, group in sources().light.curves.items() if key.amount != "online"]
    size = max(curve.data_size for group in other for curve in group)
    return f"Two copies of each text; four instead of one, by kNN at n = {size:.0f}, save distance: {'; '.join(told)}."


def claims() -> str:
    """The matrix by symbols; * does not survive Holm's correction over the matrix."""
    lines = ["| claim | " + " | ".join(SOURCES) + " |", "| --- " * (len(SOURCES) + 1) + "|"]
    for claim in CLAIMS:
        cells = []
        for source in SOURCES:
            evidence = scored()[claim.name][source]
            cells.append(SYMBOLS.get(evidence.verdict, evidence.verdict) + ("*" if is_starred(evidence) else ""))
        lines.append(f"| {claim.statement} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def undecided() -> str:
    """What is not decided in text, with its interval and the effect that this noise would show; what is small."""
    lines, small = [], []
    for claim in CLAIMS:
        evidence = scored()[claim.name]["text"]
        if evidence.verdict == "undecided" and evidence.effect is not None:
            power = detectable(evidence.se or 0.0, evidence.units, evidence.looks)
            found = "" if math.isnan(power) else f"; {power:.4f} would be found four times in five"
            interval = f"{evidence.effect:.4f} [{evidence.low:.4f}, {evidence.high:.4f}]"
            lines.append(f"- {claim.statement}: {interval}{found}")
        if evidence.at_most is not None:
            small.append(f"{claim.statement} (by at most {evidence.at_most:.4f})")
    if small:
        cases = scored()["gain-in-distance"]["text"].cases
        gains = ", ".join(f"{found.effect:.4f} ({name})" for name, found in cases if found.effect is not None)
        told = f"Shown to be below half a point, in the mean over sizes: {'; '.join(small)}."
        lines += ["", f"{told} The shift's gain over none there: {gains}."]
    return "\n".join(lines)


def theory() -> str:
    """The printed conditions in two dimensions, and where the theorem that holds is silent."""
    epsilon, delta, dimension = 0.5, 0.1, 2
    log_tau = float(printed.log_tau_limit(epsilon, dimension))
    size = float(printed.data_size_required(epsilon, delta, log_tau, dimension))
    floor = float(repaired.l1_lower_bound(size, 0.99 * 2.718281828459045**log_tau, dimension))
    silent = [d for d in DIMENSIONS if not float(risk.best_tau(1000, d, trust_radius(d), 0.05)) > 0]
    tried = ", ".join(map(str, DIMENSIONS))
    where = ", ".join(str(d) for d in silent) or "none of these dimensions"
    asked = (
        f"At d = {dimension}, epsilon = {epsilon}, delta = {delta} the theorem asks for tau < e^{log_tau:.1f} and n > "
    )
    broken = (
        f"{size:,.0f}; there the L1 distance of every training set of that size is at least {floor:.3f} of at most 2, "
    )
    teacher = (
        f"not below {epsilon}. With a teacher trusted on 95 % of the data and n = 1,000 the bound that holds has no "
    )
    return (
        f"{asked}{broken}{teacher}best tau at d = {where} (of {tried}): there it says nothing about how far to shift."
    )


def simulation() -> str:
    """Each preset's finding with its verdict."""
    edges = "°: at some sizes the best tau is the grid's edge, or no augmented data is better still"
    lines = [f"| preset | finding ({edges}) |", "| --- | --- |"]
    lines += [f"| `{folder.name}` | {finding.line(mark='°')} |" for folder, finding in simulated().items()]
    return "\n".join(lines)


@cache
def simulated() -> dict[Path, Finding]:
    """The finding of every committed preset that has a verdict, by its folder."""
    verdicts = {RESULTS / "simulate" / preset: read_values(preset).get("verdict") for preset in presets()}
    return {
        folder: decide(verdict, read_curves(folder))
        for folder, verdict in verdicts.items()
        if verdict and (folder / "replicates.parquet").is_file()
    }


def fit(texts: int = 600) -> str:
    """What `kdshift fit` said of so many tweets (`docs/fit_example.py`): scores, and its sentence."""
    path = RESULTS / "fit" / f"tweets-{texts}.json"
    if not path.is_file():
        return f"(`python docs/fit_example.py FOLDER --texts {texts}` makes it)"
    facts = json.loads(path.read_text("utf-8"))
    said = facts["fit"]
    lines = [f"{said['measure']} by {said['protocol']}, {facts['texts']} texts, {said['seconds'] / 60:.1f} minutes"]
    for name, score in said["scores"].items():
        interval = f"{score['low']:.3f} to {score['high']:.3f}"
        lines.append(f"{name.replace('_', ' '):<14}{score['accuracy']:.3f}   95 % interval {interval}")
    return "\n".join(["```text", *lines, "", *textwrap.wrap(said["recommendation"]["sentence"], 118), "```"])


def fit_more() -> str:
    """The same of 5,000 tweets."""
    return fit(5000)


def export() -> str:
    """What `kdshift export` said of the same student: size, time of one text, what int8 loses."""
    path = RESULTS / "fit" / "tweets-600.json"
    if not path.is_file():
        return "(`python docs/fit_example.py FOLDER` makes it)"
    facts = json.loads(path.read_text("utf-8"))["export"]
    lines = ["| | MB | ms a text, median | ms, 99 % |", "| --- | --- | --- | --- |"]
    for row in facts["models"]:
        cells = (row["name"], f"{row['megabytes']:.1f}", f"{row['milliseconds']:.2f}", f"{row['milliseconds_p99']:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", facts["note"]])


def stages() -> str:
    """Gains of a two-stage fit at its paid and its free stage (`docs/two_stages.py`)."""
    path = RESULTS / "fit" / "stages.csv"
    if not path.is_file():
        return "(`python docs/two_stages.py FOLDER` makes it)"
    lines = ["| stage | kNN degree | distance saved over none | of |", "| --- " * 4 + "|"]
    none: dict[str, float] = {}
    with path.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if float(row["degree"]) == 0:
                none[row["stage"]] = float(row["distance"])
                continue
            gain = f"{float(row['gain']):.4f} [{float(row['low']):.4f}, {float(row['high']):.4f}]"
            lines.append(f"| {row['stage']} | {float(row['degree']):.0%} | {gain} | {none[row['stage']]:.4f} |")
    return "\n".join(lines)


def augmenters() -> str:
    """Five rows of the table at equal seconds: the smallest size, by what they gain; none where it was not made."""
    path = RESULTS / "text" / "augmenters" / "summary.json"
    if not path.is_file():
        return "(`kdshift empirical equal-seconds augmenters-tweets --out notebooks/results/text/augmenters` makes it)"
    every = json.loads(path.read_text("utf-8"))["rows"]
    rows = [row for row in every if row["student"] == "static"]
    size = min(row["data_size"] for row in rows)
    best = sorted((row for row in rows if row["data_size"] == size), key=lambda row: -row["gain"])[:5]
    lines = [
        f"| at n = {size}, {best[0]['replicates']} replicates | degree | distance gained over none | accuracy, points "
        "| texts | seconds per 1,000 | teacher calls a text |",
        "| --- " * 7 + "|",
    ]
    for row in best:
        share = [f"{row[name] / row['none']:.1%}" for name in ("gain", "low", "high")]
        lines.append(
            f"| {row['augmenter']} | {row['degree']:.0%} | {share[0]} [{share[1]}, {share[2]}] "
            f"| {100 * row['accuracy']:.1f} [{100 * row['accuracy_low']:.1f}, {100 * row['accuracy_high']:.1f}] "
            f"| {row['further_texts']} | {row['seconds_a_thousand']:.3g} | {row['calls_a_text']:.2g} |"
        )
    checked = sorted((row for row in every if row["student"] == "encoder"), key=lambda row: -row["gain"])
    if checked:
        told = (
            f"{row['augmenter']} {row['gain'] / row['none']:.0%} [{row['low'] / row['none']:.0%}, "
            f"{row['high'] / row['none']:.0%}]"
            for row in checked
        )
        lines += [
            "",
            f"A two-layer encoder on the same texts ({checked[0]['replicates']} replicates): {', '.join(told)}."
            + without_test_noise(size, best[0]["replicates"]),
        ]
    return "\n".join(lines)


def without_test_noise(size: int, replicates: int) -> str:
    """How much wider intervals of so many replicates were with the test texts' noise: by the curves at that size."""
    wider = []
    for source in (sources().light, sources().light_error):
        ratios = []
        for curve in (text.curve for text in text_curves(source) if text.data_size == size):
            alone = gains_over_none(replace(curve, test_covariance=None))
            own = alone.se**2 * alone.units / replicates
            shared = gains_over_none(curve).se ** 2 - alone.se**2
            ratios.append(float(np.mean(np.sqrt(1 + shared / own))))
        wider.append(max(ratios, default=math.nan))
    return (
        " The noise of the test texts is not in these intervals; by the curves above it would widen those at "
        f"n = {size} by up to {wider[0] - 1:.0%} in distance and {wider[1] - 1:.0%} in accuracy."
    )


def signals() -> str:
    """How signals that need no training rank degrees (static students), within an augmenter and across all cells."""
    path = RESULTS / "text" / "signals" / "ranking.json"
    if not path.is_file():
        return "(`kdshift empirical signals --out notebooks/results/text/signals` makes it)"
    lines = [
        "| signal | within an augmenter | across a size | lost by its lowest / highest | by 30 % |",
        "| --- " * 5 + "|",
    ]
    for row in json.loads(path.read_text("utf-8"))["ranking"]:
        if row["student"] == "static":
            cells = [f"{row[n]:.2f} [{row[n + '_low']:.2f}, {row[n + '_high']:.2f}]" for n in ("within", "across")]
            lost = [f"{row[name]:.4f}" for name in ("regret", "regret_high", "regret_rule")]
            lines.append(f"| {row['signal']} | {cells[0]} | {cells[1]} | {lost[0]} / {lost[1]} | {lost[2]} |")
    return "\n".join(lines)


BLOCKS: dict[str, Callable[[], str]] = {
    function.__name__: function
    for function in (
        answer,
        gains,
        claims,
        undecided,
        theory,
        simulation,
        augmenters,
        signals,
        fit,
        fit_more,
        export,
        stages,
    )
}


def filled(text: str) -> str:
    """The page with every block as its function writes it."""
    return BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[block[2]]()}\n{block[3]}", text)


def draw_gain() -> None:
    """README's figure: the gain of kNN and of random replacement, a panel a data size."""
    rows: dict[str, dict[str, list[ShiftErrorCurve]]] = {"": {}}
    for text in text_curves(sources().light):
        if text.augmenter in ("knn", "random"):
            rows[""].setdefault(text.augmenter, []).append(text.curve)
    gain_panels(rows, "gain in distance over none").savefig(ROOT / "docs" / "gain.png", dpi=150)


def main(check: bool) -> int:
    """Fill all pages, or say which are out of date."""
    wanted = {path: filled(path.read_text(encoding="utf-8")) for path in PAGES}
    wanted |= {folder / "verdict.txt": finding.line() + "\n" for folder, finding in simulated().items()}
    stale = []
    for path, new in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != new:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(new, encoding="utf-8")
    if not check:
        draw_gain()
    sys.stdout.write(f"{'out of date' if check else 'filled'}: {', '.join(stale) or 'none'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
