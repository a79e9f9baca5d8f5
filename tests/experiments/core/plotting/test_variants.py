"""Variants of autoencoders are written and marked one way."""

from experiments.core import plotting
from experiments.core.autoencoders.specification import VARIANTS
from experiments.core.quantities import exact


def test_every_variant_has_one_name_of_its_own():
    names = [plotting.VARIANT_NAMES[variant] for variant in VARIANTS]
    assert len(set(names)) == len(VARIANTS) == 6


def test_six_series_of_points_differ_in_their_marks():
    _, ax = plotting.new_figure()
    drawn = [plotting.points(ax, [0.0], [exact(k)], index=k) for k in range(6)]
    for index, series in enumerate(drawn):
        plotting.marked(series, index)
    assert len({series.lines[0].get_marker() for series in drawn}) == 6
