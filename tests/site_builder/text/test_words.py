"""Captions say the numbers of the result, and a wrong name is told."""

from dataclasses import dataclass

import numpy as np
import pytest

from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.text.words import fill, quantities_of, with_set_numbers


@dataclass(frozen=True)
class Result:
    loss: Quantity
    by_density: dict[str, Quantity]
    seeds: int
    array: np.ndarray


RESULT = Result(Quantity(0.25, 0.2, 0.3, 64), {"p=0.1": Quantity(0.5, n=64)}, 64, np.zeros(3))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("loss {loss:.2f}", "loss 0.25"),
        ("{loss}", "0.25 [0.20, 0.30]"),
        ("in {by_density.p=0.1:count} runs", "in 32 of 64 runs"),
        ("{seeds} seeds, ${{0, 1}}$", "64 seeds, ${0, 1}$"),
    ],
)
def test_a_name_stands_for_its_number(text, filled):
    assert fill(text, RESULT, "the caption") == filled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{los}", "the caption names 'los', which the result does not have; did you mean 'loss'?"),
        ("{array}", "the caption names 'array'"),
        ("{loss:nonsense}", "the caption cannot be filled in"),
        ("a { b", "the caption cannot be filled in"),
        ("{}", "the caption names '0'"),
    ],
)
def test_what_cannot_be_filled_in_is_one_sentence(text, message):
    with pytest.raises(ReportError) as caught:
        fill(text, RESULT, "the caption")
    assert message in str(caught.value)


def test_pages_quote_quantities_and_nothing_else():
    assert set(quantities_of(RESULT)) == {"loss", "by_density.p=0.1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lies below -0.05", "lies below −0.05"),
        ("-1 to -0.5", "−1 to −0.5"),
        ("a five-2 split and x-1", "a five-2 split and x-1"),
        ("well-known", "well-known"),
        ("below 1e-09, above 6.5e-8", "below 10⁻⁹, above 6.5 × 10⁻⁸"),
        ("1 − 1e-6 of 2e3", "1 − 10⁻⁶ of 2 × 10³"),
        ("1e-x, a1e3, 0.1.2e3", "1e-x, a1e3, 0.1.2e3"),
    ],
)
def test_numbers_are_set_as_in_print_and_nothing_else_is(text, expected):
    assert with_set_numbers(text) == expected
