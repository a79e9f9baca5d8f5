"""The typefaces of figures are the files that the drawing code names, and figures are set in them."""

import hashlib

import pytest
from matplotlib.font_manager import FontProperties, findfont

from experiments.core import plotting
from experiments.core.plotting import typefaces


@pytest.mark.parametrize("name", sorted(path.name for path in typefaces.FOLDER.glob("*.ttf")))
def test_the_digest_in_the_code_is_that_of_the_file(name):
    assert typefaces.DIGESTS[name] == hashlib.sha256((typefaces.FOLDER / name).read_bytes()).hexdigest()


def test_text_of_a_figure_is_set_in_the_typeface_of_the_pages():
    with plotting.theme("light"):
        assert findfont(FontProperties()) == str(typefaces.SANS_FILE)
        assert findfont(FontProperties(family=plotting.VERBATIM)).endswith("ReportMono-Regular.ttf")


def test_signs_that_the_typeface_lacks_come_from_one_that_ships_with_matplotlib():
    with plotting.theme("light"):
        assert ord("␣") not in typefaces.letters(str(typefaces.SANS_FILE))
        assert plotting.verbatim("␣ 中 a$") == r"␣ U+4E2D a\$"
