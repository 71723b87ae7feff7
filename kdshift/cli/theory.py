"""`kdshift theory`: bounds, audit, formula, recommend. None of them imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

from kdshift.cli.lists import Numbers, WholeNumbers, Words
from kdshift.cli.output import check_figure, emit_json, emit_table
from kdshift.cli.theory_text import emit_grid, recommendation_record, show_bounds, show_evidence, show_recommendation

if TYPE_CHECKING:
    from theory.audit import Finding
    from theory.setting import Floats

app = cyclopts.App(name="theory", help="Theorem 1 as printed, its audit, and the one that holds.")

Json = Annotated[bool, Parameter(negative="", help="Print one JSON object on standard output.")]


@app.command
def bounds(
    *,
    dimension: Annotated[WholeNumbers, Parameter(name=["--dimension", "-d"])] = (2,),
    epsilon: Annotated[Numbers, Parameter(name=["--epsilon", "-e"])] = (0.5,),
    delta: Numbers = (0.1,),
    tau: Annotated[Numbers | None, Parameter(name=["--tau", "-t"])] = None,
    data_size: Annotated[WholeNumbers | None, Parameter(name=["--data-size", "-n"])] = None,
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

    from kdshift.cli.column_files import check_output, write_columns
    from theory.evaluate import evaluate
    from theory.setting import Setting

    given = _checked(dimension=dimension, epsilon=epsilon, delta=delta, tau=tau, data_size=data_size)
    Setting(trust_radius=trust_radius, teacher_epsilon=teacher_epsilon)
    if output is not None:
        check_output(output)
    if figure is not None:
        check_figure(figure)
        _draw_page(given, trust_radius, teacher_epsilon, figure)
    found = evaluate(**dict(zip(given, np.ix_(*given.values()), strict=True)))
    if found.setting["dimension"].size == 1:
        record = found.one()
        if output is not None:
            write_columns(output, found.columns())
        emit_json(record) if json else show_bounds(record)
        return
    emit_grid(found, output, json)


def _checked(**axes: Sequence[float] | None) -> dict[str, Floats]:
    """The axes that were given, every value of them one that a setting may have."""
    import numpy as np

    from theory.setting import Setting

    given = {name: np.array(axis, float) for name, axis in axes.items() if axis is not None}
    for name, values in given.items():
        for value in values.tolist():
            Setting(**({"dimension": 2} | {name: value}))
    return given


def _draw_page(given: dict[str, Floats], trust_radius: float | None, teacher_epsilon: float, path: Path) -> None:
    """The page of bounds at the only dimension, epsilon and delta."""
    from theory import bound_figures as figures
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
    page.savefig(path, dpi=150)


@app.command
def audit(
    *,
    dimension: WholeNumbers = (2, 3, 5, 10),
    epsilon: float = 0.5,
    delta: float = 0.1,
    step: WholeNumbers | None = None,
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
    from kdshift.cli.progress import shown
    from theory.audit import STEPS, audit, verdict_text
    from theory.audit import markdown as as_markdown

    if figure is not None:
        check_figure(figure)
    dimensions = list(dimension)
    chosen = [one.number for one in STEPS] if step is None else list(step)
    findings: list[Finding] = []
    with shown() as progress:
        for done, number_of_step in enumerate(chosen, start=1):
            findings += audit(dimensions, epsilon=epsilon, delta=delta, seed=seed, steps=[number_of_step])
            progress("audit", done, len(chosen))
    if figure is not None:
        from theory import bound_figures as figures

        figures.audit_table(findings).savefig(figure, dpi=150)
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
            show_evidence(findings[0])


@app.command
def formula(
    name: str | None = None,
    *,
    latex: Annotated[bool, Parameter(negative="")] = False,
    pretty: Annotated[bool, Parameter(negative="")] = False,
    python: Annotated[bool, Parameter(negative="")] = False,
    substitute: Words = (),
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
    for pair in substitute:
        symbol, equals, value = pair.partition("=")
        if not equals:
            raise InputError("substitute", pair, "pairs symbol=number separated by commas")
        values[symbol.strip()] = value.strip()
    style: formulas.Style = "latex" if latex else "pretty" if pretty else "python" if python else "text"
    shown = formulas.render(name, style=style, substitute=values)
    result = formulas.value(name, values)
    if json:
        one = formulas.FORMULAS[name]
        return emit_json(
            {"name": name, "formula": shown, "value": result, "meaning": one.meaning, "source": one.source}
        )
    print(shown if result is None or style != "text" else f"{shown}\n= {result!r}")


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
        from theory import bound_figures as figures

        check_figure(figure)
        if dimension is None:
            raise InputError("figure", str(figure), "together with --dimension")
        drawn = figures.best_tau_against_data_size(
            data_size, dimension, trust_radius=radius, teacher_epsilon=teacher_epsilon
        )
        drawn.savefig(figure, dpi=150)
    if json:
        return emit_json(recommendation_record(found, degree.RULE_SOURCE))
    show_recommendation(found, degree.RULE_SOURCE)
