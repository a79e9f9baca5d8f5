"""Quantities are written on pages and in figures, never during a run."""

import pytest

from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from experiments.core.quantity_words import unwritten

QUANTITY = Quantity(0.5, n=4)


@pytest.mark.parametrize("spec", ["", "value", "%", "% value", "count", ".3f"])
def test_a_run_that_writes_a_quantity_is_refused_because_no_key_covers_the_text(spec):
    with unwritten(), pytest.raises(ReportError, match="return the Quantity itself"):
        format(QUANTITY, spec)
    assert format(QUANTITY, spec)


def test_writing_is_allowed_again_only_after_the_outermost_run():
    with unwritten():
        with unwritten():
            pass
        with pytest.raises(ReportError):
            f"{QUANTITY}"
    assert f"{QUANTITY:count}" == "2 of 4"
