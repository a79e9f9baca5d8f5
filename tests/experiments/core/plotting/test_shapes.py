"""Every named arrangement of the plane has its own colour, and a shape the table lacks is an error, not a guess."""

import pytest

from experiments.core import plotting
from experiments.core.errors import ReportError
from experiments.core.geometry.configurations import OTHER, PLANE


def test_no_two_arrangements_of_the_plane_look_alike() -> None:
    tones = [plotting.shape_colour(known.name) for known in PLANE] + [plotting.shape_colour(OTHER)]
    assert len(PLANE) == 5
    assert len(set(tones)) == len(tones)


def test_a_colour_follows_the_scheme() -> None:
    light = plotting.shape_colour("triangle")
    with plotting.theme("dark"):
        assert plotting.shape_colour("triangle") == plotting.series(1) != light


def test_an_unknown_shape_is_an_error_that_offers_the_nearest() -> None:
    with pytest.raises(ReportError, match="did you mean 'pentagon'"):
        plotting.shape_colour("pentagn")


def test_lines_of_triangles_and_hexagons_differ_in_more_than_colour() -> None:
    assert plotting.shape_line("triangle")["linestyle"] != plotting.shape_line("hexagon")["linestyle"]
