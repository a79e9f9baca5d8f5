"""The dependency figure of the architecture page: packages as boxes, imports as arrows, read from the code itself."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup, escape

BOX, GAP, FLOOR = (150, 34), 18, 84
"""Width and height of a box, space between boxes, and height of a floor, in CSS pixels."""


@dataclass
class Rooms:
    """Packages and who imports whom; `lines` counts the lines of code of each."""

    lines: dict[str, int] = field(default_factory=dict)
    arrows: set[tuple[str, str]] = field(default_factory=set)


def read_rooms(root: Path) -> Rooms:
    """Return the packages of the project below `root`; the parts of the experiments count as one."""
    rooms = Rooms()
    for path in sorted([*(root / "experiments").rglob("*.py"), *(root / "site_builder").rglob("*.py")]):
        text = path.read_text(encoding="utf-8")
        module = path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        room = room_of(module, root)
        rooms.lines[room] = rooms.lines.get(room, 0) + text.count("\n")
        for name in _imported(ast.parse(text)):
            other = room_of(name, root)
            if other and other != room:
                rooms.arrows.add((room, other))
    return rooms


def room_of(module: str, root: Path) -> str:
    """Return the package that a module counts to, "" for one that is not the project's."""
    first, _, rest = module.partition(".")
    second = rest.partition(".")[0]
    if first == "experiments":
        return "experiments/core" if second == "core" else "experiments/<part>"
    if first == "site_builder":
        inner = second if (root / "site_builder" / second).is_dir() and second else ""
        return f"site_builder/{inner}" if inner else "site_builder"
    return ""


def _imported(tree: ast.Module) -> Iterable[str]:
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _statements(tree: ast.Module) -> Iterable[ast.AST]:
    """Yield all statements, also those within others; going through expressions too would take ten times as long."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            left += getattr(node, name, [])


def circles(rooms: Rooms) -> list[tuple[str, str]]:
    """Return the pairs of packages that import each other, directly or by way of others."""
    reach = {room: _reached(room, rooms.arrows) for room in rooms.lines}
    return sorted((a, b) for a in reach for b in reach[a] if a < b and a in reach[b])


def _reached(room: str, arrows: set[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    stack = [room]
    while stack:
        here = stack.pop()
        new = {other for one, other in arrows if one == here} - found
        found |= new
        stack += sorted(new)
    return found


def floors(rooms: Rooms) -> list[list[str]]:
    """Return the packages by floor, the ground floor first: each lies above all that it imports.

    Packages in a circle share a floor, so that a circle is seen as arrows within one floor.
    """
    reach = {room: _reached(room, rooms.arrows) for room in rooms.lines}
    level: dict[str, int] = {}

    def height(room: str) -> int:
        if room not in level:
            below = [other for other in reach[room] if room not in reach[other]]
            level[room] = 1 + max((height(other) for other in below), default=-1)
        return level[room]

    top = max((height(room) for room in rooms.lines), default=0)
    return [sorted(room for room in rooms.lines if level[room] == floor) for floor in range(top + 1)]


def drawn(rooms: Rooms) -> Markup:
    """Return the figure as SVG in the colours of the page, with a description for screen readers."""
    stack = floors(rooms)
    width = max(len(floor) for floor in stack) * (BOX[0] + GAP) + GAP
    height = len(stack) * FLOOR
    place: dict[str, tuple[float, float]] = {}
    for number, floor in enumerate(stack):
        left = (width - len(floor) * (BOX[0] + GAP) + GAP) / 2
        for index, room in enumerate(floor):
            place[room] = left + index * (BOX[0] + GAP), height - (number + 1) * FLOOR + (FLOOR - BOX[1]) / 2
    shapes = [_arrow(place[a], place[b]) for a, b in sorted(rooms.arrows)]
    shapes += [_box(room, rooms.lines[room], *place[room]) for room in sorted(place)]
    said = "; ".join(_sentence(room, rooms.arrows) for room in sorted(rooms.lines))
    return Markup(
        '<figure class="rooms"><svg role="img" aria-label="Packages and their imports" viewBox="0 0 {0} {1}" '
        'width="{0}" height="{1}"><desc>{2}</desc><defs><marker id="rooms-tip" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>'
        "{3}</svg><figcaption>Packages of the project, made by the build from the imports in the code. An arrow points "
        "to what is imported; each package lies above all that it imports.</figcaption></figure>"
    ).format(round(width), height, said, Markup("").join(shapes))


def _box(room: str, lines: int, x: float, y: float) -> Markup:
    return Markup(
        '<g><rect x="{0:g}" y="{1:g}" width="{2}" height="{3}" rx="4" fill="var(--md-default-bg-color)" '
        'stroke="currentColor"/><text x="{4:g}" y="{5:g}" text-anchor="middle" font-size="12" fill="currentColor">{6}'
        '</text><text x="{4:g}" y="{7:g}" text-anchor="middle" font-size="9.5" fill="currentColor">{8} lines</text></g>'
    ).format(x, y, *BOX, x + BOX[0] / 2, y + 15, escape(room), y + 28, f"{lines:,}")


def _arrow(one: tuple[float, float], other: tuple[float, float]) -> Markup:
    x, y = one[0] + BOX[0] / 2, one[1] + BOX[1]
    to_x, to_y = other[0] + BOX[0] / 2, other[1]
    if one[1] == other[1]:  # within a floor, which only a circle needs
        y, to_y = one[1], other[1]
        path = f"M{x:g} {y:g}C{x:g} {y - 30:g} {to_x:g} {y - 30:g} {to_x:g} {to_y - 2:g}"
    else:
        bend = (to_y - y) / 2
        path = f"M{x:g} {y:g}C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y - 2:g}"
    return Markup(
        '<path d="{}" fill="none" stroke="currentColor" stroke-opacity="0.45" marker-end="url(#rooms-tip)"/>'
    ).format(path)


def _sentence(room: str, arrows: set[tuple[str, str]]) -> str:
    imported = sorted(other for one, other in arrows if one == room)
    return f"{room} imports {', '.join(imported)}" if imported else f"{room} imports nothing of the project"
