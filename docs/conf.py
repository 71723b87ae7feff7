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
autodoc_default_options = {"members": True, "undoc-members": False, "show-inheritance": True}
napoleon_numpy_docstring = napoleon_google_docstring = True
templates_path = ["templates"]
nb_execution_mode = "off"  # the notebooks are committed executed, and the tests run them
myst_enable_extensions = ["dollarmath", "colon_fence"]
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type", "ref.python", "docutils"]
html_theme = "furo"
html_title = "kdshift"
exclude_patterns = ["templates", "_build"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}

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


def setup(app):
    here = Path(__file__).parent
    (here / "notebooks").mkdir(exist_ok=True)
    for notebook in (here.parent / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, here / "notebooks" / notebook.name)
    app.connect("autodoc-process-docstring", plain_docstrings, priority=100)
