"""`kdshift theory ...`: bounds, audit, formula, recommend. None of them imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import Parameter

from kdshift.cli.output import emit_json, emit_table, number

if TYPE_CHECKING:
    from theory.audit import Finding
    from theory.degree import Recommendation
    from theory.evaluate import Bounds
    from theory.setting import Floats

app = cyclopts.App(name="theory", help="Theorem 1 as printed, its audit, and the one that holds.")

Json = Annotated[bool, Parameter(negative="", help="Print one JSON object on standard output.")]


@app.command
def bounds(
    *,
    dimension: Annotated[str, Parameter(name=["--dimension", "-d"])] = "2",
    epsilon: Annotated[str, Parameter(name=["--epsilon", "-e"])] = "0.5",
    delta: str = "0.1",
    tau: Annotated[str | None, Parameter(name=["--tau", "-t"])] = None,
    data_size: Annotated[str | None, Parameter(name=["--data-size", "-n"])] = None,
    trust_radius: float | None = None,
    teacher_epsilon: float = 0.0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    figure: Path | None = None,
    json: Json = False,
) -> None:
    """Theorem 1 as printed beside the theorem that holds, at one setting or over a grid.

    Every option takes a number, a list `2,5,10` or a geometric range `first:last:count`; several values make a grid,
    one row a setting. Without --tau the printed data size is taken at the printed limit of tau and the repaired bounds
    at the best tau. Without --data-size what needs one is left out.

    Parameters
    ----------
    dimension
        d, a whole number >= 2: of x, or the intrinsic dimension of a representation.
    epsilon
        L1 accuracy to reach, in (0, 1).
    delta
        Failure probability, in (0, 1).
    tau
        Variance of the local Gaussian (sqrt(tau) is its radius), > 0.
    data_size
        n, the number of original examples, a whole number >= 1.
    trust_radius
        Teacher trusted for norm(x) <= this: adds the inverted U of the student's risk to the figure.
    teacher_epsilon
        Largest error of the teacher inside the trust radius, in [0, 1].
    output
        Write the grid to this .csv, .parquet or .jsonl file.
    figure
        Draw bounds, required data sizes and windows of tau into this file (one dimension, epsilon and delta).
    """
    import numpy as np

    from theory import grid
    from theory.evaluate import evaluate
    from theory.setting import Setting

    axes = {
        "dimension": grid.axis("dimension", dimension, whole=True),
        "epsilon": grid.axis("epsilon", epsilon),
        "delta": grid.axis("delta", delta),
        "tau": grid.axis("tau", tau),
        "data_size": grid.axis("data_size", data_size, whole=True),
    }
    given: dict[str, Floats] = {name: values for name, values in axes.items() if values is not None}
    for name, values in given.items():
        for value in values.tolist():
            Setting(**({"dimension": 2} | {name: value}))
    Setting(trust_radius=trust_radius, teacher_epsilon=teacher_epsilon)
    if output is not None:
        grid.check_output(output)
    if figure is not None:
        _draw_page(given, trust_radius, teacher_epsilon, figure)
    found = evaluate(**dict(zip(given, np.ix_(*given.values()), strict=True)))
    if found.setting["dimension"].size == 1:
        record = found.one()
        if output is not None:
            grid.write(output, found.columns())
        emit_json(record) if json else _show_bounds(record)
        return
    _emit_grid(found, output, json)


def _draw_page(given: dict[str, Floats], trust_radius: float | None, teacher_epsilon: float, path: Path) -> None:
    """The page of bounds at the only dimension, epsilon and delta."""
    from theory import figures
    from theory.errors import InputError

    only: dict[str, float] = {}
    for name in ("dimension", "epsilon", "delta"):
        if given[name].size != 1:
            raise InputError(name, given[name].tolist(), "one value, when a figure is drawn")
        only[name] = given[name].item()
    page = figures.page(
        given["data_size"].tolist() if "data_size" in given else [100.0, 1000.0, 10000.0],
        int(only["dimension"]),
        epsilon=only["epsilon"],
        delta=only["delta"],
        trust_radius=trust_radius,
        teacher_epsilon=teacher_epsilon,
    )
    _save(page, path)


def _save(figure: Any, path: Path) -> None:
    """Write a figure; its ending names the format."""
    from theory.errors import InputError

    known = sorted(figure.canvas.get_supported_filetypes())
    if path.suffix.lstrip(".") not in known or not path.parent.is_dir():
        raise InputError("figure", str(path), f"a file in an existing folder, ending in one of {', '.join(known)}")
    figure.savefig(path, dpi=150)


def _emit_grid(found: Bounds, output: Path | None, json: bool) -> None:
    """A grid as a file, as JSON, or as a table of the columns people look at first."""
    from theory import grid

    columns = found.columns()
    rows = len(columns["dimension"])
    if output is not None:
        grid.write(output, columns)
    if json:
        emit_json({"rows": rows, "output": None if output is None else str(output)} | ({} if output else columns))
    elif output is not None:
        emit_table(f"{rows} settings", ["file", "columns"], [[str(output), len(columns)]])
    else:
        varying = [name for name in found.setting if len(set(columns[name].tolist())) > 1]
        shown = ["repaired_tau_star", "repaired_mean_bound", "repaired_l1_bound", "repaired_lower_bound"]
        shown += ["printed_data_size_required", "repaired_data_size_required"]
        body = zip(*(columns[name].tolist() for name in varying + shown), strict=True)
        heads = [name.replace("repaired_", "").replace("_", " ") for name in varying + shown]
        emit_table("Bounds over a grid (--output FILE keeps all columns)", heads, [list(row) for row in body])


def _show_bounds(record: dict[str, Any]) -> None:
    """The two theorems at one setting as tables, with a word where a number does not exist."""
    setting, as_printed, repaired = record["setting"], record["printed"], record["repaired"]
    at = ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in setting.items() if value is not None)
    where = "at this tau" if setting["tau"] is not None else "at the limit of tau"
    rows = [
        ["x_u", as_printed["x_u"]],
        ["tau has to stay below", _large(as_printed, "tau_limit")],
        [f"data size has to exceed ({where})", _large(as_printed, "data_size_required")],
        ["tau condition holds", _condition(as_printed["tau_condition"], "--tau")],
        ["data size condition holds", _condition(as_printed["data_size_condition"], "--data-size")],
    ]
    emit_table(f"Theorem 1 as printed ({at})", ["", "value"], rows)
    emit_table(
        "The theorem that holds", ["", "value"], _repaired_rows(setting, repaired), "L1 distances lie in [0, 2]."
    )


def _repaired_rows(setting: dict[str, Any], found: dict[str, Any]) -> list[list[Any]]:
    needs = "needs --data-size" if setting["data_size"] is None else "vacuous: no tau gives a bound below 2"
    tau_needs = needs if found["tau"] is None else "none: the bias alone reaches epsilon"
    window = found["tau_window"]
    none = needs if setting["data_size"] is None else "none at this data size"
    return [
        ["tau of the rows below", number(found["tau"], needs)],
        ["bias (exact)", number(found["bias"], needs)],
        ["deviation (simple)", _large(found, "deviation", needs)],
        ["mean bound, simple", number(found["mean_bound_simple"], needs)],
        ["mean bound, Scarf", number(found["mean_bound"], needs)],
        ["concentration", number(found["concentration"], needs)],
        ["L1 bound, with probability 1 - delta", number(found["l1_bound"], needs)],
        ["L1 of every training set is at least", number(found["lower_bound"], needs)],
        ["data size enough, simple", _large(found, "data_size_required_simple", tau_needs)],
        ["data size enough, Scarf", _large(found, "data_size_required", tau_needs)],
        ["data size necessary", _large(found, "data_size_necessary", needs)],
        ["data size enough at its best tau, simple", _large(found, "data_size_smallest_simple")],
        ["best tau, simple", number(found["tau_star_simple"], needs)],
        ["best tau, Scarf", number(found["tau_star"], needs)],
        ["L1 bound at the best tau", number(found["l1_bound_at_tau_star"], needs)],
        ["tau with L1 bound <= epsilon", none if window is None else f"{number(window[0])} to {number(window[1])}"],
    ]


def _condition(holds: bool | None, option: str) -> str:
    return f"needs {option}" if holds is None else number(holds)


def _large(values: dict[str, Any], name: str, missing: str = "-") -> str:
    """A number, or its logarithm's exponential where it leaves double precision."""
    value, log = values[name], values.get(f"log_{name}")
    if (value is None or value == 0) and log is not None:
        return f"e^{log:,.1f}".replace(",", " ")
    return number(value, missing)


@app.command
def audit(
    *,
    dimension: str = "2,3,5,10",
    epsilon: float = 0.5,
    delta: float = 0.1,
    step: str | None = None,
    seed: int = 0,
    markdown: Annotated[bool, Parameter(negative="")] = False,
    figure: Path | None = None,
    json: Json = False,
) -> None:
    """Every step of the printed theorem and its proof, checked now: verdict, evidence, corrected claim.

    Parameters
    ----------
    dimension
        Dimensions to check in, whole numbers >= 2.
    epsilon
        L1 accuracy, in (0, 1); tau and data size are taken where both printed conditions hold.
    delta
        Failure probability, in (0, 1).
    step
        Numbers of the steps to check, as 14 or 4,5,21; all by default. One step shows its evidence.
    seed
        Seed of the Monte Carlo evidence.
    markdown
        Print a Markdown table.
    figure
        Draw the verdicts as a table into this file.
    """
    from kdshift.cli.progress import steps
    from theory import grid
    from theory.audit import STEPS, audit, markdown as as_markdown, verdict_text

    dimensions = [int(d) if d == int(d) else d for d in _numbers(grid.axis("dimension", dimension, whole=True))]
    chosen = [one.number for one in STEPS] if step is None else [int(n) for n in _numbers(grid.axis("step", step))]
    findings = []
    with steps("audit", len(chosen)) as advance:
        for number_of_step in chosen:
            advance(f"step {number_of_step}")
            findings += audit(dimensions, epsilon=epsilon, delta=delta, seed=seed, steps=[number_of_step])
    if figure is not None:
        from theory import figures

        _save(figures.audit_table(findings), figure)
    if json:
        emit_json(
            {
                "setting": {"dimension": dimensions, "epsilon": epsilon, "delta": delta, "seed": seed},
                "steps": [finding.record() for finding in findings],
            }
        )
    elif markdown:
        print(as_markdown(findings), end="")
    else:
        rows = [[f"{found.number}  {found.title}", found.claim, verdict_text(found)] for found in findings]
        emit_table("Theorem 1, step by step", ["step", "claim as printed", "verdict"], rows)
        if len(findings) == 1:
            _show_evidence(findings[0])


def _numbers(values: Floats | None) -> list[float]:
    return [] if values is None else [float(value) for value in values]


def _show_evidence(found: Finding) -> None:
    """The evidence of one step, its corrected claim and the reason."""
    rows: list[list[Any]] = []
    for name, tests in (("claim", found.claimed), ("corrected", found.used)):
        for dimension, evidence in tests.items():
            for one in evidence:
                shown = ", ".join(f"{key} {number(value)}" for key, value in one.values.items())
                rows.append([name, f"{dimension}", one.kind, one.statement, "yes" if one.holds else "no", shown])
    emit_table("Evidence", ["tests the", "d", "kind", "statement", "holds", "values"], rows)
    print(f"Corrected: {found.corrected}\nReason: {found.reason}")


@app.command
def formula(
    name: str | None = None,
    *,
    latex: Annotated[bool, Parameter(negative="")] = False,
    pretty: Annotated[bool, Parameter(negative="")] = False,
    python: Annotated[bool, Parameter(negative="")] = False,
    substitute: str | None = None,
    json: Json = False,
) -> None:
    """A formula of the printed or the repaired theorem; without a name, all of them.

    Parameters
    ----------
    name
        The formula, as printed.x_u or repaired.bias.
    latex
        As LaTeX.
    pretty
        Drawn with characters.
    python
        As Python on NumPy and SciPy.
    substitute
        Numbers for symbols, as d=2,epsilon=0.5.
    """
    from theory import formula as formulas
    from theory.errors import InputError

    if name is None:
        known = formulas.FORMULAS.items()
        if json:
            return emit_json({key: {"meaning": one.meaning, "source": one.source} for key, one in known})
        rows = [[key, one.meaning, one.source] for key, one in known]
        return emit_table("Formulas (kdshift theory formula NAME)", ["name", "meaning", "source"], rows)
    if sum((latex, pretty, python)) > 1:
        raise InputError("latex, pretty, python", "several", "one of them")
    values: dict[str, str] = {}
    for pair in [] if substitute is None else substitute.split(","):
        symbol, equals, value = pair.partition("=")
        if not equals:
            raise InputError("substitute", substitute, "pairs symbol=number separated by commas")
        values[symbol.strip()] = value.strip()
    style = "latex" if latex else "pretty" if pretty else "python" if python else "text"
    shown = formulas.render(name, style=style, substitute=values)
    value = formulas.value(name, values)
    if json:
        one = formulas.FORMULAS[name]
        return emit_json({"name": name, "formula": shown, "value": value, "meaning": one.meaning, "source": one.source})
    print(shown if value is None or style != "text" else f"{shown}\n= {value!r}")


@app.command
def recommend(
    *,
    data_size: Annotated[float, Parameter(name=["--data-size", "-n"])],
    dimension: Annotated[int | None, Parameter(name=["--dimension", "-d"])] = None,
    task_length: float | None = None,
    displacement: float | None = None,
    trust_radius: float | None = None,
    teacher_epsilon: float = 0.0,
    figure: Path | None = None,
    json: Json = False,
) -> None:
    """Which share of the tokens to change: the paper's rule of thumb beside what the theory says.

    Parameters
    ----------
    data_size
        n, the number of original texts, a whole number >= 1.
    dimension
        Intrinsic dimension of the texts' representations, a whole number >= 2: gives a best tau.
    task_length
        Eligible tokens of a text; with the displacement it turns tau into a degree.
    displacement
        Mean squared move of a text's representation by one changed token, over the data's total variance.
    trust_radius
        Radius, in standard deviations of the data, inside which the teacher is trusted.
    teacher_epsilon
        Largest error of the teacher inside the trust radius, in [0, 1].
    figure
        Draw the best tau against the data size into this file (needs --dimension).
    """
    from theory import degree
    from theory.errors import InputError
    from theory.setting import Setting

    Setting(data_size=data_size, trust_radius=trust_radius, teacher_epsilon=teacher_epsilon, dimension=dimension or 2)
    if dimension is not None:
        Setting(dimension=dimension)
    radius = float("inf") if trust_radius is None else trust_radius
    found = degree.recommend(
        data_size,
        dimension=dimension,
        task_length=task_length,
        displacement=displacement,
        trust_radius=radius,
        teacher_epsilon=teacher_epsilon,
    )
    if figure is not None:
        from theory import figures

        if dimension is None:
            raise InputError("figure", str(figure), "together with --dimension")
        drawn = figures.best_tau_against_data_size(
            data_size, dimension, trust_radius=radius, teacher_epsilon=teacher_epsilon
        )
        _save(drawn, figure)
    if json:
        return emit_json(_recommendation_record(found, degree.RULE_SOURCE))
    _show_recommendation(found, degree.RULE_SOURCE)


def _recommendation_record(found: Recommendation, source: str) -> dict[str, Any]:
    return {
        "data_size": int(found.data_size),
        "rule_of_thumb": {"degree": found.rule_degree, "source": source},
        "theory": {
            "dimension": found.dimension,
            "tau_star": found.tau_star,
            "risk_bound": found.bound,
            "degree": found.degree,
            "degree_at_limit": found.degree_at_limit,
        },
        "text": {
            "dimension": found.text_dimension,
            "l1_at_least": found.text_l1_at_least,
            "log_data_size_for_l1_below_1": found.text_log_data_size,
        },
    }


def _show_recommendation(found: Recommendation, source: str) -> None:
    none = "needs --dimension" if found.dimension is None else "vacuous: no tau gives a bound below 1"
    words = "needs --dimension, --task-length, --displacement"
    if found.degree is None and found.dimension is not None:
        words = "needs --task-length and --displacement" if found.tau_star is not None else none
    shown = words if found.degree is None else number(found.degree)
    rows = [
        ["degree by the paper's rule of thumb", found.rule_degree],
        ["best tau of the risk bound", number(found.tau_star, none)],
        ["risk bound there (mean; student's own error on top)", number(found.bound, none)],
        ["degree that adds this tau", f"{shown} (changing every token adds less)" if found.degree_at_limit else shown],
    ]
    note = (
        f"Rule: {source}.\n"
        f"At d = {found.text_dimension}, the width of BERT base, no bound of this kind says anything: whatever tau, the"
        f" mean L1 distance is at least {found.text_l1_at_least:.6f} of 2,\n"
        f"and only n > e^{found.text_log_data_size:.0f} could bring it below 1. Give the intrinsic dimension."
    )
    emit_table(f"Semantic shift for n = {number(int(found.data_size))}", ["", "value"], rows, note)
