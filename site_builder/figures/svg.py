"""Makes an SVG of matplotlib smaller without changing what it shows, in the same way each time.

Coordinates keep two decimals of a point; ids are short, and those that nothing refers to go; groups without
attributes dissolve; marks that share clipping and style share one group; there is no document type, so that
nothing names a file of another host.
"""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from site_builder.figures.svg_text import with_typeface

DECIMALS = 2
"""Decimals of a coordinate in points: 0.005 pt is a fiftieth of a pixel of a 300 dpi print."""

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

for _prefix, _uri in {
    "": SVG,
    "xlink": XLINK,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "cc": "http://creativecommons.org/ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
}.items():
    ElementTree.register_namespace(_prefix, _uri)

_COORDINATES = ("d", "x", "y", "x1", "y1", "x2", "y2", "points")
_MOVE = re.compile(r"(?:translate|rotate)\([^)]*\)")
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def compact(text: str, title: str) -> str:
    """Return the SVG `text` made small, with `title` as its accessible name."""
    root = ElementTree.fromstring(text)
    _round(root)
    _shorten_ids(root)
    _dissolve(root)
    _merge_groups(root)
    with_typeface(root, SVG)
    _share_styles(root)
    _drop_white_space(root)
    for own in root.findall(f"{{{SVG}}}title"):
        root.remove(own)
    name = Element(f"{{{SVG}}}title")
    name.text = title
    root.insert(0, name)
    root.set("role", "img")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _round(root: Element) -> None:
    for element in root.iter():
        for name in _COORDINATES:
            if name in element.attrib:
                element.set(name, _short(element.attrib[name]))
        if "d" in element.attrib:
            element.set("d", re.sub(r"\s*([A-Za-z])\s*", r"\1", element.attrib["d"]).strip())
        if "transform" in element.attrib:  # a scale keeps all its digits: it multiplies whole glyphs
            moves = _MOVE.sub(lambda move: _short(move.group()), element.attrib["transform"])
            element.set("transform", moves)
            move = re.fullmatch(r"translate\((\S+) (\S+)\)", moves)
            if move and element.tag == f"{{{SVG}}}use" and not {"x", "y"} & set(element.attrib):
                del element.attrib["transform"]  # on `use`, x and y mean the same
                element.attrib |= {name: at for name, at in zip("xy", move.groups(), strict=True) if at != "0"}


def _short(text: str) -> str:
    return _NUMBER.sub(_rounded, text)


def _rounded(match: re.Match[str]) -> str:
    number = f"{float(match.group()):.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if number == "-0" else number


def _shorten_ids(root: Element) -> None:
    """Number the ids that something refers to by first appearance, and drop the others."""
    used: set[str] = set()
    for element in root.iter():
        for value in element.attrib.values():
            used.update(re.findall(r"url\(#([^)]+)\)", value))
        used.add(element.get(f"{{{XLINK}}}href", "").removeprefix("#"))
    ids = [id for element in root.iter() if (id := element.get("id")) in used and id is not None]
    short = {id: f"i{number}" for number, id in enumerate(dict.fromkeys(ids))}
    for element in root.iter():
        for name, value in list(element.attrib.items()):
            if name == "id":
                element.attrib.pop(name)
                if value in short:
                    element.set(name, short[value])
            elif name == f"{{{XLINK}}}href" and value.startswith("#"):
                element.set(name, "#" + short[value[1:]])
            elif "url(#" in value:
                element.set(name, re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{short[m.group(1)]})", value))


def _dissolve(root: Element) -> None:
    """Put the children of a group without attributes in its place, and drop paths that are drawn in no colour."""
    for parent in root.iter():
        children = list(parent)
        while any(_is_bare(child) for child in children):
            children = [part for child in children for part in (list(child) if _is_bare(child) else [child])]
        parent[:] = [child for child in children if child.get("style") != "fill: none"]


def _is_bare(element: Element) -> bool:
    return element.tag == f"{{{SVG}}}g" and not element.attrib


def _merge_groups(root: Element) -> None:
    """Join neighbouring groups with equal clipping."""
    for parent in root.iter():
        kept: list[Element] = []
        for child in list(parent):
            if kept and _is_clip(kept[-1]) and _is_clip(child) and kept[-1].attrib == child.attrib:
                kept[-1].extend(list(child))
            else:
                kept.append(child)
        parent[:] = kept


def _share_styles(root: Element) -> None:
    """Give a group the style that all its marks share."""
    for group in root.iter(f"{{{SVG}}}g"):
        styles = {child.get("style") for child in group}
        if len(group) > 1 and len(styles) == 1 and None not in styles and "style" not in group.attrib:
            group.set("style", str(styles.pop()))
            for child in group:
                del child.attrib["style"]
    for element in root.iter():
        if "style" in element.attrib:
            element.set("style", re.sub(r"([:;])\s+", r"\1", element.attrib["style"]))


def _is_clip(element: Element) -> bool:
    return element.tag == f"{{{SVG}}}g" and set(element.attrib) == {"clip-path"}


def _drop_white_space(root: Element) -> None:
    for element in root.iter():
        if element.text is not None and not element.text.strip():
            element.text = None
        if element.tail is not None and not element.tail.strip():
            element.tail = None
