"""Figures inside notebooks: sharp, with alternative text, captioned with the command that makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdshift.html import embed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 90


def show(figure: Figure, *, alt: str, caption: str = "", command: str = "") -> None:
    """Display a figure in a notebook with its caption and command below; `alt` is for those who cannot see it."""
    from IPython.display import Markdown, display

    data = embed(figure).removeprefix("data:image/png;base64,")
    width = int(PIXELS_PER_INCH * figure.get_figwidth())
    display({"image/png": data}, raw=True, metadata={"image/png": {"alt": alt, "width": width}})
    text = "  \n".join(part for part in (caption, f"`{command}`" if command else "") if part)
    if text:
        display(Markdown(text))
