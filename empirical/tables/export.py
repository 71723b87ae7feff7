"""A result table as text: Markdown, CSV or LaTeX, by the file's name.

kdshift empirical table demo-full --export table.tex
"""

from __future__ import annotations

import math
from pathlib import Path

from empirical.tables.table import Cell, ResultTable
from theory.errors import InputError

FORMATS = (".md", ".csv", ".tex")


def cell_text(cell: Cell | None) -> str:
    """A cell as a person reads it: percent with its interval's half-width, the paper's number in brackets."""
    if cell is None:
        return ""
    width = "interval unknown" if math.isnan(cell.low) else f"±{50 * (cell.high - cell.low):.2f}"
    text = f"{100 * cell.score:.2f} {width}"
    if cell.best:
        text += f" (p {cell.probability:.2f})"
    return text + ("" if cell.paper is None else f" [{100 * cell.paper:.2f}{'*' if cell.bold else ''}]")


def aligned_rows(table: ResultTable) -> list[tuple[str, list[Cell | None]]]:
    """The rows with one cell, or None, for each of the table's columns."""
    return [
        (row.label, [{cell.column: cell for cell in row.cells}.get(column) for column in table.columns])
        for row in table.rows
    ]


def export(table: ResultTable, path: Path) -> None:
    """Write the table to `path`: `.md` and `.tex` as printed, `.csv` tidy (one line a cell, all numbers)."""
    if path.suffix not in FORMATS:
        raise InputError("export", str(path), "a file ending in " + ", ".join(FORMATS))
    try:
        if path.suffix == ".csv":
            table.tidy().to_csv(path, index=False)
        else:
            path.write_text(markdown(table) if path.suffix == ".md" else latex(table), "utf-8")
    except OSError as error:
        raise InputError("export", str(path), f"a file that can be written ({error.strerror})") from None


def markdown(table: ResultTable) -> str:
    """The table in Markdown, the best cell of each row in bold, its notes below."""
    lines = [f"**{table.title}**", "", "| | " + " | ".join(table.columns) + " |"]
    lines.append("| --- |" + " ---: |" * len(table.columns))
    for label, cells in aligned_rows(table):
        texts = [f"**{cell_text(cell)}**" if cell is not None and cell.best else cell_text(cell) for cell in cells]
        lines.append(f"| {label} | " + " | ".join(texts) + " |")
    return "\n".join([*lines, "", *(f"- {note}" for note in table.notes)]) + "\n"


def latex(table: ResultTable) -> str:
    """The table as a LaTeX `tabular` (package booktabs), the best cell of each row in bold, notes as comments."""
    head = " & ".join(["", *(_escaped(column) for column in table.columns)])
    lines = [
        f"% {table.title}",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        head + r" \\",
        r"\midrule",
    ]
    for label, cells in aligned_rows(table):
        texts = [_escaped(cell_text(cell)) for cell in cells]
        bold = [
            rf"\textbf{{{text}}}" if cell is not None and cell.best else text
            for cell, text in zip(cells, texts, strict=True)
        ]
        lines.append(" & ".join([_escaped(label), *bold]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", *(f"% {note}" for note in table.notes)]) + "\n"


def _escaped(text: str) -> str:
    for character in "\\&%$#_{}":
        text = text.replace(character, "\\" + character if character != "\\" else r"\textbackslash ")
    return text.replace("±", r"$\pm$")
