"""The compacted SVG shows what the original shows."""

from xml.etree import ElementTree

import pytest

from site_builder.figures.svg import SVG, XLINK, compact


def body(content):
    root = f'<svg xmlns="{SVG}" xmlns:xlink="{XLINK}" width="10pt" height="5pt">{content}</svg>'
    text = compact(root, "A title & more")
    return text.partition("</title>")[2].removesuffix("</svg>\n").replace(" />", "/>")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<path d="M 1.23456 -0.001 \nL 20 3.5 \nz" />', '<path d="M1.23 0L20 3.5z"/>'),
        ('<path d="M 1e-05 2.0" />', '<path d="M1e-05 2"/>'),
        ('<use x="63.6230468" />', '<use x="63.62"/>'),
        ('<g transform="translate(3.14159 2) scale(0.015625)"/>', '<g transform="translate(3.14 2) scale(0.015625)"/>'),
        ('<use transform="translate(3.14159 0)"/>', '<use x="3.14"/>'),
        ("<g><g><path/></g></g>", "<path/>"),
        ('<path d="M0 0" style="fill: none"/>', ""),
        ('<path style="fill: none; stroke: #000"/>', '<path style="fill:none;stroke:#000"/>'),
        ('<g clip-path="a"><use/></g> <g clip-path="a"><use/></g>', '<g clip-path="a"><use/><use/></g>'),
        (
            '<g clip-path="a"><use/></g><g clip-path="b"><use/></g>',
            '<g clip-path="a"><use/></g><g clip-path="b"><use/></g>',
        ),
        (
            '<g id="s"><use style="fill: red"/><use style="fill: red"/></g>'.replace(' id="s"', ' clip-path="a"'),
            '<g clip-path="a" style="fill:red"><use/><use/></g>',
        ),
        (
            '<g clip-path="a"><use style="fill: red"/><use style="fill: blue"/></g>',
            '<g clip-path="a"><use style="fill:red"/><use style="fill:blue"/></g>',
        ),
    ],
)
def test_each_saving_keeps_the_meaning(before, after):
    assert body(before) == after


def test_ids_that_are_used_stay_linked_and_others_go():
    text = body('<g id="figure_1"><clipPath id="p1"/><path id="m7"/><use xlink:href="#m7" clip-path="url(#p1)"/></g>')
    assert text == '<clipPath id="i0"/><path id="i1"/><use xlink:href="#i1" clip-path="url(#i0)"/>'


def test_an_embedded_picture_is_left_alone():
    image = '<image xlink:href="data:image/png;base64,iVBOR" width="3.14159" transform="matrix(1.40959 0 0 1 2 3)"/>'
    assert body(image) == image


def test_the_title_is_the_only_one_and_readable():
    root = ElementTree.fromstring(compact(f'<svg xmlns="{SVG}"><title>old</title></svg>', "A title & more"))
    assert [title.text for title in root.iter(f"{{{SVG}}}title")] == ["A title & more"]
    assert root.get("role") == "img"
