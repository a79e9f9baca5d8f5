import pytest

from experiments.core.quantities import Quantity, exact
from site_builder.text.quantity_text import written


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (Quantity(0.9992, 0.99913, 0.99927), "99.92 % [99.91 %, 99.93 %]"),
        (Quantity(0.25007, 0.2496, 0.2505), "25.01 % [24.96 %, 25.05 %]"),
        (Quantity(0.9992, 0.9972, 1.0), "99.9 % [99.7 %, 100.0 %]"),
        (Quantity(0.00014, 0.00012, 0.00016), "0.014 % [0.012 %, 0.016 %]"),
        (Quantity(0.53, 0.51, 0.55), "53.0 % [51.0 %, 55.0 %]"),
        (Quantity(-0.0000004, -0.002, 0.002), "0.0 % [−0.2 %, 0.2 %]"),
        (Quantity(1.0, 1.0, 1.0), "100 % [100 %, 100 %]"),
        (exact(0.00523), "0.52 %"),
        (exact(0.0523), "5.23 %"),
        (exact(-0.000523), "−0.052 %"),
        (exact(0.999), "99.9 %"),
    ],
)
def test_a_share_shows_the_digits_that_it_has(quantity, text):
    assert written(quantity, "%") == text
    assert written(quantity, "% value") == text.partition(" [")[0]


@pytest.mark.parametrize("spec", ["", "value", ".3f", "g"])
def test_other_formats_are_those_of_the_quantity(spec):
    quantity = Quantity(0.9992, 0.99913, 0.99927)
    assert written(quantity, spec) == format(quantity, spec)


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [(0.731, ".0%", "73 %"), (-0.052, ".1%", "−5.2 %"), (-0.871, ".2f", "−0.87"), (1e-5, ".0e", "1e-05")],
)
def test_formats_of_python_are_typeset_like_the_others(value, spec, text):
    assert written(exact(value), spec) == text


def test_the_last_decimal_is_a_tenth_of_the_interval_or_more():
    for exponent in range(-60, 0):
        width = 10 ** (exponent / 12)
        text = written(Quantity(0.5, 0.5 - width / 2, 0.5 + width / 2), "% value")
        places = len(text.removesuffix(" %").partition(".")[2])
        assert places <= 1 or 10.0**-places >= 100 * width / 10 * (1 - 1e-9)
