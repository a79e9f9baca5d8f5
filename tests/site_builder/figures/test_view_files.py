"""A view becomes one line of JSON that says the same as its arrays, and is refused when it cannot be shown."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments.core.browsing import Collection, Column, Entry, Passage, Passages
from experiments.core.contract import FigureSpec
from experiments.core.errors import ReportError
from experiments.core.plotting.style import DARK, LIGHT
from experiments.core.views import PALETTE, Cloud, Curves, Frames, Solid, Solids
from site_builder.figures import view_files

SITE_CSS = Path(__file__).parents[3] / "docs" / "assets" / "css" / "site.css"


def spec(view: object) -> FigureSpec:
    return FigureSpec("moves", "It moves", "caption", "alt", "", lambda _: Figure(), lambda _: view)  # type: ignore


def test_a_solid_is_stored_with_its_digest(tmp_path: Path) -> None:
    solids = Solids("A wedge", (Solid("wedge", np.eye(3), ((0, 1),), ((0, 1, 2),), ("a", "b", "c"), (0, 1, 2)),))
    (record,) = view_files.write(spec(solids), None, tmp_path).values()
    content = (tmp_path / record.path).read_bytes()
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    assert record.bytes == len(content)
    stored = json.loads(content)
    assert stored["kind"] == "solids"
    assert stored["solids"][0]["positions"] == np.eye(3).tolist()
    assert stored["solids"][0]["faces"] == [[0, 1, 2]]


def test_curves_are_stored_line_by_line() -> None:
    x, y = np.arange(3.0), np.array([[0.0, 5.0], [1.0, 6.0], [2.0, 7.0]])
    curves = Curves("two lines", x, y, "step", "loss", ((0, "0"),), ((7, "7"),))
    stored = json.loads(view_files.to_json("moves", Frames("they rise", ("a", "b", "c"), (curves,))))
    assert stored["panels"][0]["y"] == [[0, 1, 2], [5, 6, 7]]


@pytest.mark.parametrize("scale", [1e-6, 0.37, 1.0, 42.0, 12_345.0])
def test_rounding_keeps_more_than_a_screen_can_show(scale: float) -> None:
    values = scale * np.random.default_rng(0).uniform(-1, 1, (50, 3))
    stored = np.array(view_files.rounded(values))
    assert np.abs(stored - values).max() <= scale / view_files.STEPS
    assert max(len(str(number)) for number in stored.ravel()) <= 10


def test_a_tiny_negative_number_is_stored_as_zero() -> None:
    assert str(view_files.rounded(np.array([-1e-9, 1.0]))[0]) == "0.0"


def test_a_view_too_heavy_for_a_page_is_refused(tmp_path: Path) -> None:
    positions = np.random.default_rng(0).uniform(size=(200, 400, 2))
    frames = Frames("a swarm", ("frame",) * 200, (Cloud("swarm", positions),))
    with pytest.raises(ReportError, match="at most; show less"):
        view_files.write(spec(frames), None, tmp_path)


def test_something_else_than_a_view_is_refused() -> None:
    with pytest.raises(ReportError, match="is a ndarray; return Solids, Frames or a Collection"):
        view_files.to_json("moves", np.eye(3))


def test_views_have_the_colours_of_the_figures() -> None:
    css = SITE_CSS.read_text("utf-8")
    for theme, scheme in ((LIGHT, "default"), (DARK, "slate")):
        blocks = re.findall(rf'\[data-md-color-scheme="{scheme}"\] {{(.*?)}}', css, re.DOTALL)
        found = dict(re.findall(r"--series-(\d): (#\w+);", "".join(blocks)))
        assert found == {str(index): tone for index, tone in enumerate(theme.series)}
    assert len(LIGHT.series) == PALETTE


def test_a_collection_is_a_file_of_its_own_kind_that_holds_every_entry(tmp_path: Path) -> None:
    passage = Passage(("</script>", "\ud800", " a"), (0.0, 1.0, 0.25), 1, "a.py", "2.00")
    entry = Entry("one", "One", "", (0.5, None), (Passages("Text", "", (passage,)),))
    columns = (Column("a", "", ".1f"), Column("b", "", ".1f"))
    collection = Collection("Things", "thing", "things", "", columns, (entry,))
    files = view_files.write(spec(collection), None, tmp_path)
    assert files.keys() == {view_files.COLLECTION}
    stored = json.loads((tmp_path / files[view_files.COLLECTION].path).read_text("utf-8"))
    assert stored["entries"][0]["values"] == [0.5, None]
    assert stored["entries"][0]["sections"][0]["kind"] == "passages"
    assert stored["entries"][0]["sections"][0]["passages"][0]["tokens"] == list(passage.tokens)
