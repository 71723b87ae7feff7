"""`kdshift empirical reproduce`: every table and figure of the paper with its preset, cost and deviations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from kdshift.cli.output import emit_json
from theory.errors import InputError


def reproduce(
    *,
    write: Annotated[Path | None, Parameter(help="write the page to this Markdown file instead of printing it")] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON object")] = False,
) -> None:
    """What repeats the paper: presets, runs, estimated hours of three cards, and where they may differ and why."""
    from empirical.sweeps.reproduce import paper_presets, reproduce_page

    if write is not None:
        try:
            write.write_text(reproduce_page(), "utf-8")
        except OSError as error:
            raise InputError("write", str(write), f"a file that can be written ({error.strerror})") from None
    if json:
        rows = [
            {"preset": sweep.name, "repeats": sweep.repeats, "runs": len(sweep.runs), "deviations": sweep.deviations}
            for sweep in paper_presets()
        ]
        emit_json({"presets": rows})
    elif write is None:
        print(reproduce_page(), end="")
