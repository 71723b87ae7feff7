"""What may be asked of a fit, and what of it names the fit."""

from __future__ import annotations

import pytest

from kdshift.fit.options import FitOptions
from theory.errors import InputError


def test_minutes_do_not_name_a_fit_and_everything_else_does() -> None:
    plain = FitOptions()
    assert plain.digest("t") == FitOptions(minutes=3).digest("t") != plain.digest("u")
    for change in ({"seed": 1}, {"degrees": (0.5,)}, {"megabytes": 5.0}, {"teacher": "other"}, {"student": "static"}):
        assert FitOptions(**change).digest("t") != plain.digest("t")  # type: ignore[arg-type]
    assert FitOptions(teacher="http://host/v1#m").outside and FitOptions(teacher="p.parquet").outside
    with pytest.raises(InputError, match=r"did you mean 0\.3"):
        FitOptions(degrees=(30.0,))


def test_paid_degrees_name_a_fit_only_where_there_are_any() -> None:
    address = "http://host/v1#m"
    plain, paid = FitOptions(teacher=address), FitOptions(teacher=address, paid_degrees=(0.2,))
    assert plain.digest("t") != paid.digest("t")
    for wrong in ({"paid_degrees": (0.2,)}, {"teacher": address, "paid_degrees": (20.0,)}):
        with pytest.raises(InputError, match="--paid-degree"):
            FitOptions(**wrong)  # type: ignore[arg-type]


def test_an_outside_teacher_has_an_assistant_for_network() -> None:
    assert FitOptions(teacher="http://host/v1#m", assistant="a").network.name == "a"
    assert FitOptions(teacher="b", assistant="a").network.name == "b"
