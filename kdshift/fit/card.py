"""The pages that travel with a student: `card.html` for people, `README.md` as a model card, from a fit's facts.

What was not decided stands beside what was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from empirical.files import write_atomically
from kdshift.fit.options import KINDS
from kdshift.page.panels import Panel, write_page
from kdshift.page.writing import embed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MODEL_CARD = """---
pipeline_tag: text-classification
library_name: transformers
---
# {{ name }}

A {{ student.kind }} classifier for {{ texts.labels|join(", ") }}, made by `kdshift fit`.

**Result.** {{ headline }}

| | {{ measure }} | 95 % interval | texts |
| --- | --- | --- | --- |
{% for who, score in scores.items() -%}
| {{ who|replace("_", " ") }} | {{ "%.3f"|format(score.accuracy) }} | {{ "%.3f"|format(score.low) }} to \
{{ "%.3f"|format(score.high) }} | {{ score.n }} |
{% endfor %}
Scores are by {{ protocol }}. Intervals are Wilson's, for these texts; another sample of texts for training would move
the students too.

- **Data.** {{ texts.labelled }} labelled texts, {{ texts.test }} in a test file, {{ texts.unlabelled }} unlabelled. \
{{ dropped or "No row was left out." }}
- **Teacher.** {{ teacher }}\
{% if answer_choice.cross_fitted %}, cross-fitted: no text is answered by a teacher that was trained on it{% endif %}. \
The student agrees with it on {{ "%.1f"|format(100 * fidelity.agreement) }} % of \
the scored texts; its probabilities are {{ "%.3f"|format(fidelity.distance) }} apart (mean over classes).
- **Augmentation.** {{ recommendation.augmenter }}, {{ "%.0f"|format(100 * recommendation.degree) }} % of the tokens, \
{{ copies.copies }} copies a text; verdict: {{ recommendation.verdict }} \
({{ recommendation.replicates }} replicates, intervals simultaneous over the degrees).
- **Calibration.** Expected calibration error of the student \
{{ "%.3f"|format(calibration.student.calibration_error) }}, of the teacher \
{{ "%.3f"|format(calibration.teacher.calibration_error) }}.
- **Size and speed.** {{ "{:,}".format(student.parameters) }} parameters, {{ "%.1f"|format(student.megabytes) }} MB, \
{{ "%.2f"|format(student.milliseconds_a_text) }} ms a text (median, one at a time, on the machine that made it).

## Use

```
kdshift predict {{ folder }} new.csv
```

{% if student.kind != "bilstm" -%}
```python
from transformers import pipeline

classify = pipeline("text-classification", "{{ folder }}/model"{% if student.kind != "encoder" %}, \
trust_remote_code=True{% endif %})
```
{% endif %}
## What was not decided

{% for line in undecided -%}
- {{ line }}
{% endfor -%}
"""


def write_cards(folder: Path, name: str, summary: dict[str, Any], curve: pd.DataFrame, dropped: str) -> None:
    """Write `README.md` and `card.html` into `folder`."""
    undecided = open_questions(summary)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    text = environment.from_string(MODEL_CARD).render(
        name=name, folder=folder, dropped=dropped, undecided=undecided, headline=headline(summary), **summary
    )
    write_atomically(folder / "README.md", text)
    write_page(
        folder / "card.html",
        title=f"{name}: a {summary['student']['kind']} classifier",
        lead=[headline(summary)],
        panels=[_scores_panel(summary), _degree_panel(summary, curve), _student_panel(summary, dropped, undecided)],
        provenance=f"kdshift fit, {summary['seconds']:.0f} seconds; every score can be counted from predictions.csv.",
    )


def headline(summary: dict[str, Any]) -> str:
    """The result as a sentence of its own; the augmenter's name keeps its small letter."""
    sentence: str = summary["recommendation"]["sentence"]
    return (sentence if sentence.startswith(summary["recommendation"]["augmenter"]) else _capital(sentence)) + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def open_questions(summary: dict[str, Any]) -> list[str]:
    """What these texts do not decide, in sentences."""
    found, against = summary["recommendation"], summary["student_against_bag_of_words"]
    lines = []
    if found["verdict"] == "undecided":
        lines.append(
            f"Whether augmentation helps: {found['replicates']} replicates leave the gain in distance between "
            f"{found['low']:.4f} and {found['high']:.4f}."
        )
    if found["points_low"] <= 0 <= found["points_high"]:
        lines.append(
            "Whether it changes accuracy: "
            f"{found['points']:+.1f} points [{found['points_low']:.1f}, {found['points_high']:.1f}]."
        )
    if against["low"] <= 0 <= against["high"]:
        lines.append(
            "Whether the student or the bag of words is better: "
            f"{against['points']:+.1f} points [{against['low']:.1f}, {against['high']:.1f}]."
        )
    untried = [kind for kind in KINDS if kind not in summary["student"]["kinds_tried"]]
    if untried:
        lines.append(
            f"Whether {' or '.join(untried)} would be the better student: not tried (time, wishes or --student)."
        )
    if summary["answer_choice"].get("cross_fitted") is False and "standard_error" in summary["answer_choice"]:
        lines.append(
            "Teachers answer for texts they were trained on: on validation that did better than cross-fitting."
        )
    lines.append("Which neighbouring degree is best: a curve this flat near its best degree does not say.")
    if summary["measure"] != "accuracy":
        lines.append(
            "How often the student is right: without labelled texts only its agreement with the teacher shows."
        )
    return lines


def _scores_panel(summary: dict[str, Any]) -> Panel:
    rows = [
        [
            name.replace("_", " "),
            f"{score['accuracy']:.3f}",
            f"{score['low']:.3f} to {score['high']:.3f}",
            str(score["n"]),
        ]
        for name, score in summary["scores"].items()
    ]
    return Panel(
        name="scores",
        title=f"Scores: {summary['measure']}",
        text=[f"By {summary['protocol']}."],
        columns=["", summary["measure"], "95 % interval", "texts"],
        rows=rows,
    )


def _degree_panel(summary: dict[str, Any], curve: pd.DataFrame) -> Panel:
    found = summary["recommendation"]
    return Panel(
        name="degree",
        title="How far to shift",
        text=["Light students at every degree against the one without augmented texts, paired by replicate."],
        image=embed(degree_figure(curve)),
        alt="Difference in distance to the teacher from none, by degree: a line a replicate, and their mean",
        caption=f"Below zero augmentation brings the student nearer to its teacher. Verdict: {found['verdict']}.",
    )


def _student_panel(summary: dict[str, Any], dropped: str, undecided: list[str]) -> Panel:
    student = summary["student"]
    rows = [
        ["kind", student["kind"]],
        ["parameters", f"{student['parameters']:,}"],
        ["megabytes", f"{student['megabytes']:.1f}"],
        ["milliseconds a text, median", f"{student['milliseconds_a_text']:.2f}"],
        ["milliseconds a text, 99 %", f"{student['milliseconds_p99']:.2f}"],
        ["agreement with the teacher", f"{summary['fidelity']['agreement']:.3f}"],
        ["calibration error", f"{summary['calibration']['student']['calibration_error']:.3f}"],
    ]
    return Panel(
        name="student",
        title="The student, and what is not decided",
        text=[dropped, *undecided] if dropped else undecided,
        columns=["", ""],
        rows=rows,
    )


def degree_figure(curve: pd.DataFrame) -> Figure:
    """Paired differences in distance from no augmentation by degree: replicates thin, their mean bold."""
    from matplotlib import pyplot as plt

    table = curve.pivot(index="replicate", columns="degree", values="distance")
    difference = table.sub(table[0.0], axis=0)
    figure, axes = plt.subplots(figsize=(6, 3.4))
    axes.plot(difference.columns, difference.to_numpy().T, color="#8899aa", linewidth=0.8)
    axes.plot(difference.columns, difference.mean(), color="#0b5fa5", linewidth=2, marker="o")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xlabel("degree: share of tokens changed")
    axes.set_ylabel("distance to the teacher,\ndifference from none")
    return figure
