"""What notebook cells show: figures with alternative text and captions, narrow tables, intervals, what is missing.

And where the notebooks and their tables are. Nothing here imports Altair: every kernel would wait for it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kdshift.page.writing import embed
from theory.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NOTEBOOKS = ("1_theory", "2_simulation", "3_text_kd", "4_side_by_side")
RESULTS_VARIABLE = "KDSHIFT_RESULTS"
PIXELS_PER_INCH = 90


def notebook_folder(given: Path | None = None) -> Path:
    """The folder of the notebooks: the given one, the checkout's, or `notebooks/` here; InputError if there is none."""
    for folder in (given,) if given else (Path(__file__).parents[1] / "notebooks", Path("notebooks")):
        if (folder / f"{NOTEBOOKS[0]}.ipynb").is_file():
            return folder
    raise InputError(
        "--notebooks", str(given or "notebooks"), f"a folder with {NOTEBOOKS[0]}.ipynb (a checkout has it)"
    )


def default_results() -> Path:
    """Where the notebooks read their tables: $KDSHIFT_RESULTS, else the committed `notebooks/results`."""
    given = os.environ.get(RESULTS_VARIABLE)
    return Path(given) if given else notebook_folder() / "results"


def show(figure: Figure, *, alt: str, caption: str = "", command: str = "") -> None:
    """Display a figure in a notebook with its caption and command below; `alt` is for those who cannot see it."""
    from IPython.display import Markdown, display

    data = embed(figure).removeprefix("data:image/png;base64,")
    width = int(PIXELS_PER_INCH * figure.get_figwidth())
    display({"image/png": data}, raw=True, metadata={"image/png": {"alt": alt, "width": width}})
    text = "  \n".join(part for part in (caption, f"`{command}`" if command else "") if part)
    if text:
        display(Markdown(text))


def say(*sentences: str) -> None:
    """Display sentences as one paragraph."""
    from IPython.display import Markdown, display

    display(Markdown(" ".join(sentences)))


def show_table(frame: pd.DataFrame) -> None:
    """Display a narrow table without its index, no cell cut."""
    import pandas as pd
    from IPython.display import HTML, display

    with pd.option_context("display.max_colwidth", None):
        display(HTML(frame.to_html(index=False, border=0)))


def interval(effect: float, low: float, high: float, digits: int = 3, *, scale: float = 1.0) -> str:
    """An effect with its interval as text; "one replicate" where it has none."""
    value = f"{scale * effect:.{digits}f}"
    if low != low or high != high:
        return f"{value} (one replicate)"
    return f"{value} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"


def present(path: Path, command: str) -> bool:
    """Whether a result is there; where it is not, display the command that makes it."""
    if not path.exists():
        say(f"Not measured here: `{command}` makes it.")
    return path.exists()
