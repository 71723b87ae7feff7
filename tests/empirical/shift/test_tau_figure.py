"""The measured shift drawn: a panel a quantity, the teacher's only where it was asked, intervals as bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from empirical.shift.tau_figure import shift_figure


def table(entropy: float) -> pd.DataFrame:
    rows = [{"augmenter": "original", "realised_degree": 0.0, "tau": 0.0, "a_distance": 0.0}]
    for name, slope in (("knn", 0.7), ("random", 1.4)):
        # Not in the order of the degree: the figure sorts.
        for degree in (0.9, 0.1, 0.5):
            rows.append({"augmenter": name, "realised_degree": degree, "tau": slope * degree, "a_distance": degree})
    frame = pd.DataFrame(rows).assign(teacher_entropy=entropy, teacher_entropy_se=0.01, a_distance_se=0.02)
    return frame.assign(tau_low=frame["tau"] * 0.9, tau_high=frame["tau"] * 1.2)


@pytest.mark.parametrize(("entropy", "panels"), [(float("nan"), 2), (0.4, 3)])
def test_a_panel_a_quantity_and_a_line_an_augmenter(entropy: float, panels: int) -> None:
    figure = shift_figure(table(entropy))
    assert len(figure.axes) == panels
    line, _, (bars,) = figure.axes[0].containers[1]
    np.testing.assert_allclose(line.get_xydata(), [[0.1, 0.14], [0.5, 0.7], [0.9, 1.26]])
    np.testing.assert_allclose(
        [part[:, 1] for part in bars.get_segments()], 1.4 * np.outer([0.1, 0.5, 0.9], [0.9, 1.2])
    )
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["knn", "random"]
