"""The page in a real browser: no console error, no clipped table, letters of at least ten pixels, at two widths."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kdshift.page.results_page import write_results_page
from tests import committed

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update")  # fmt: skip
PROBE = """<script>const waiting = setInterval(() => {
  if (!document.body.dataset.drawn) return;
  clearInterval(waiting);
  const wide = [...document.querySelectorAll("table, .chart svg")].filter((e) =>
    e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).length;
  const letters = [...document.querySelectorAll("p, td, figcaption, label, svg text")].map((e) =>
    parseFloat(getComputedStyle(e).fontSize));
  document.title = `probe ${document.body.dataset.drawn} ${wide} ${Math.min(...letters)}`;
}, 100)</script></body>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_results_page(path, committed.RESULTS, committed.sources(), committed.scores(), title="How far to shift")
    return path


def test_the_page_is_one_offline_file_with_static_pictures(page):
    html = page.read_text(encoding="utf-8")
    assert len(html.encode()) < 2_000_000 and html.count("<noscript>") == html.count('class="chart"') >= 5
    assert " src=" not in html.split("<script>")[0] and "<link" not in html
    assert html.index("With 55 texts") < html.index("One question, seen") and "the teacher&#39;s accuracy" in html


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_draws_it_without_errors_or_clipping(page, width, tmp_path):
    assert BROWSER is not None, "apt-get install chromium"
    probed = tmp_path / "probed.html"
    body, tail = page.read_text(encoding="utf-8").rsplit("</body>", 1)  # Vega's own strings have one too
    probed.write_text(body + PROBE + tail, encoding="utf-8")
    command = [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},2000",
               "--enable-logging=stderr", "--virtual-time-budget=12000", "--dump-dom", probed.as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ)
    title = done.stdout.split("<title>")[1].split("</title>")[0].split()
    assert title[0] == "probe" and int(title[1]) >= 5, "every chart is drawn"
    assert int(title[2]) == 0, "nothing is wider than the window"
    assert float(title[3]) >= 10
    assert "CONSOLE" not in done.stderr, done.stderr[-2000:]
