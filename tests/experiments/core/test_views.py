"""A view that could not be shown is refused where it is made."""

from typing import Any

import numpy as np
import pytest

from experiments.core.views import Cloud, Curves, Frames, Solid, Solids

TICKS = ((0.0, "0"),)


def curves(**changed: Any) -> Curves:
    given: dict[str, Any] = {"x": np.arange(3.0), "y": np.zeros((3, 2)), "x_ticks": TICKS, "y_ticks": TICKS}
    return Curves("lines", **{"x_label": "step", "y_label": "loss", **given, **changed})


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Solid("flat", np.eye(2)), "vertices are no"),
        (lambda: Solid("torn", np.eye(3), edges=((0, 3),)), "names number"),
        (lambda: Solid("lost", np.full((1, 3), np.nan)), "not finite"),
        (lambda: Solid("mute", np.eye(3), labels=("a",)), "1 labels for 3 marks"),
        (lambda: Solid("loud", np.eye(3), colours=(0, 1, 6)), "colours go from 0 to 5"),
        (lambda: Solids("none", ()), "there is no solid"),
        (lambda: Solids("twins", (Solid("a", np.eye(3)), Solid("a", np.eye(3)))), "repeat"),
        (lambda: Cloud("torn", np.zeros((2, 3, 3)), faces=((0, 1, 3),)), "names number"),
        (lambda: Cloud("deep", np.zeros((2, 3, 4))), "positions are no"),
        (lambda: curves(x=np.zeros(3)), "does not rise"),
        (lambda: curves(y=np.zeros((2, 2))), "differ in frames"),
        (lambda: Frames("empty", (), ()), "there is no panel"),
        (lambda: Frames("short", ("one",), (curves(),)), "1 captions, panels of"),
    ],
)
def test_what_cannot_be_shown_is_refused(make: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make()


def test_panels_with_as_many_frames_as_captions_move_together() -> None:
    cloud = Cloud("marks", np.zeros((3, 4, 2)))
    assert Frames("both", ("one", "two", "three"), (cloud, curves())).panels[0].frames == 3
