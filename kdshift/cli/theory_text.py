"""What `kdshift theory` shows: tables for people, with a word where a number does not exist, and JSON records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdshift.cli.output import emit_json, emit_table, number

if TYPE_CHECKING:
    from theory.audit import Finding
    from theory.degree import Recommendation
    from theory.evaluate import Bounds


def show_bounds(record: dict[str, Any]) -> None:
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
    if repaired["silence"]:
        print(repaired["silence"])


def _repaired_rows(setting: dict[str, Any], found: dict[str, Any]) -> list[list[Any]]:
    needs = "needs --data-size" if setting["data_size"] is None else "vacuous: no tau gives a bound below 2"
    tau_needs = needs if found["tau"] is None else "none: the bias alone reaches epsilon"
    window = found["tau_window"]
    none = needs if setting["data_size"] is None else "none at this data size"
    return [
        ["tau of the rows below", number(found["tau"], needs)],
        ["bias (exact)", number(found["bias"], needs)],
        ["deviation (simple)", _large(found, "deviation", needs)],
        ["mean bound, simple", _bound(found, "mean_bound_simple", needs)],
        ["mean bound, Scarf", number(found["mean_bound"], needs)],
        ["concentration", number(found["concentration"], needs)],
        ["L1 bound, with probability 1 - delta", _bound(found, "l1_bound", needs)],
        ["L1 of every training set is at least", number(found["lower_bound"], needs)],
        ["data size enough, simple", _large(found, "data_size_required_simple", tau_needs)],
        ["data size enough, Scarf", _large(found, "data_size_required", tau_needs)],
        ["data size necessary", _large(found, "data_size_necessary", needs)],
        ["data size enough at its best tau, simple", _large(found, "data_size_smallest_simple")],
        ["best tau, simple", number(found["tau_star_simple"], needs)],
        ["best tau, Scarf", number(found["tau_star"], needs)],
        ["L1 bound at the best tau", _bound(found, "l1_bound_at_tau_star", needs)],
        ["tau with L1 bound <= epsilon", none if window is None else f"{number(window[0])} to {number(window[1])}"],
    ]


def _condition(holds: bool | None, option: str) -> str:
    return f"needs {option}" if holds is None else number(holds)


def _bound(found: dict[str, Any], name: str, missing: str) -> str:
    """An L1 bound, marked where it is 2 or more."""
    shown = number(found[name], missing)
    return f"{shown} (vacuous: 2 or more)" if name in found["vacuous"] and found[name] is not None else shown


def _large(values: dict[str, Any], name: str, missing: str = "-") -> str:
    """A number, or its logarithm's exponential where it leaves double precision."""
    value, log = values[name], values.get(f"log_{name}")
    if (value is None or value == 0) and log is not None:
        return f"e^{log:,.1f}".replace(",", " ")
    return number(value, missing)


def emit_grid(found: Bounds, output: Path | None, json: bool) -> None:
    """A grid as a file, as JSON, or as a table of the columns people look at first."""
    from kdshift.cli.column_files import write_columns

    columns = found.columns()
    rows = len(columns["dimension"])
    if output is not None:
        write_columns(output, columns)
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


def show_evidence(found: Finding) -> None:
    """The evidence of one step, its corrected claim and the reason."""
    rows: list[list[Any]] = []
    for name, tests in (("claim", found.claimed), ("corrected", found.corrected_test)):
        for dimension, evidence in tests.items():
            for one in evidence:
                shown = ", ".join(f"{key} {number(value)}" for key, value in one.values.items())
                rows.append([name, f"{dimension}", one.kind, one.statement, "yes" if one.holds else "no", shown])
    emit_table("Evidence", ["tests the", "d", "kind", "statement", "holds", "values"], rows)
    print(f"Corrected: {found.corrected}\nReason: {found.reason}")


def recommendation_record(found: Recommendation, source: str) -> dict[str, Any]:
    """The JSON object of `theory recommend`. source: where the rule of thumb's degree comes from."""
    return {
        "data_size": int(found.data_size),
        "rule_of_thumb": {"degree": found.rule_degree, "source": source},
        "theory": {
            "dimension": found.dimension,
            "tau_star": found.tau_star,
            "risk_bound": found.bound,
            "degree": found.degree,
            "degree_at_limit": found.degree_at_limit,
            "silence": found.silence,
        },
        "text": {
            "dimension": found.text_dimension,
            "l1_at_least": found.text_l1_at_least,
            "log_data_size_for_l1_below_1": found.text_log_data_size,
        },
    }


def show_recommendation(found: Recommendation, source: str) -> None:
    """Print the recommendation as a table that says what each missing number needs."""
    none = "needs --dimension" if found.dimension is None else "vacuous: no tau gives a bound below 1"
    words = "needs --dimension, --task-length, --displacement"
    if found.degree is None and found.dimension is not None:
        words = "needs --task-length and --displacement" if found.tau_star is not None else none
    shown = words if found.degree is None else number(found.degree)
    rows: list[list[Any]] = [
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
    if found.silence:
        print(found.silence)
