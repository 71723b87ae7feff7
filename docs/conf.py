"""The documentation site (extra `[docs]`): `bash .ci/docs` builds it without network; API pages from docstrings."""

import re
import shutil
from importlib.metadata import version as installed
from pathlib import Path

project = "kdshift"
author = "the kdshift developers"
copyright = "2026, the kdshift developers"
release = version = installed("kdshift")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
autosummary_generate = True
autosummary_imported_members = False
autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # transformers' own, written for its site
autodoc_default_options = {"members": True, "undoc-members": False, "show-inheritance": True}
napoleon_numpy_docstring = napoleon_google_docstring = True
templates_path = ["templates"]
nb_execution_mode = "off"  # the notebooks are committed executed, and the tests run them
myst_enable_extensions = ["dollarmath", "colon_fence"]
# Interactive charts have a static twin for this site; names that stand in two packages are told apart by their links.
suppress_warnings = ["mystnb.unknown_mime_type", "ref.python"]
html_theme = "furo"
html_title = "kdshift"
exclude_patterns = ["templates", "_build"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}

SECTION = re.compile(r"\s*(Args|Examples?|Notes?|Parameters|Raises|Returns|Yields):?$")
SPECIAL = re.compile(r"(?<!\\)([|*])|(?<=\w)_(?=[\s,.;:)\]]|$)")


def plain_docstrings(app, what, name, obj, options, lines):
    """Docstrings are plain text with `code`: what reStructuredText would read into |x|, * and name_ is escaped."""
    for index, line in enumerate(lines):
        parts = re.split(r"(`+[^`]*`+)", line)
        for place, part in enumerate(parts):
            if part.startswith("`"):
                parts[place] = part if part.startswith("``") else f"`{part}`"
            elif not re.match(r"^\s*[*:-]", line):
                parts[place] = SPECIAL.sub(lambda found: "\\" + found.group(0), part)
        lines[index] = "".join(parts)
    lines[:] = unhung(lines)


def unhung(lines):
    """What hangs below a line goes on with it; a block below a colon or a blank line keeps its lines; then sections."""
    found, block = [], False
    for index, line in enumerate(lines):
        if SECTION.match(line):
            return [*found, *lines[index:]]
        above = found[-1] if found else ""
        if not line.startswith("  "):
            found += ["", line] if block and line and above else [line]
            block = block and not line
        elif block or not above or above.endswith(":"):
            found += ["| " + line.strip()] if block or not above else ["", "| " + line.strip()]
            block = True
        else:
            found[-1] = f"{above} {line.strip()}"
    return found


def setup(app):
    here = Path(__file__).parent
    (here / "notebooks").mkdir(exist_ok=True)
    for notebook in (here.parent / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, here / "notebooks" / notebook.name)
    app.connect("autodoc-process-docstring", plain_docstrings, priority=100)
