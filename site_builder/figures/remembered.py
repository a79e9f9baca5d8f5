"""Remembers, while a figure is drawn, what matplotlib would find out again and again; what is drawn is the same.

Which file holds a font is looked up for every text, and how a text lies is worked out each time somebody asks how large
it is: a dozen times for the label of a tick. Neither can change while one figure is drawn in one style. A formula is
read again for each figure that has it, though figures share most. Python's collector of garbage would walk through the
artists, all tied to each other, in the middle of the work; it waits.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

from matplotlib.axis import Axis
from matplotlib.font_manager import FontManager, FontProperties
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

Key = tuple[Any, ...]


@contextmanager
def remembering() -> Iterator[None]:
    """Draw figures inside the block in less time; matplotlib's parameters must not change within."""
    with (
        patch.object(FontManager, "findfont", _finder()),
        patch.object(Text, "_get_layout", _layouts()),
        patch.object(MathTextParser, "_parse_cached", _FORMULAS),
        _no_collection(),
    ):
        yield


@contextmanager
def settled() -> Iterator[None]:
    """Lay out and draw figures inside the block, whose contents change no more, in less time.

    Where ticks lie is worked out anew whenever somebody asks how large an axis is, a dozen times for each; it can
    change only with the part of the axis that is in view and the size of its panel.
    """
    with patch.object(Axis, "_update_ticks", _ticks()):
        yield


_FORMULAS: Any = lru_cache(4096)(MathTextParser._parse_cached.__wrapped__)  # type: ignore[attr-defined]
"""matplotlib remembers the last 50 formulas only."""


def _finder() -> Any:
    known: dict[Key, Any] = {}
    look_up = FontManager.findfont

    def findfont(self: FontManager, prop: Any, *others: Any, **named: Any) -> Any:
        if not isinstance(prop, FontProperties):
            return look_up(self, prop, *others, **named)
        key = (*_font(prop), *others, *named.items())
        if key not in known:
            known[key] = look_up(self, prop, *others, **named)
        return known[key]

    return findfont


def _layouts() -> Any:
    known: WeakKeyDictionary[Any, dict[Key, Any]] = WeakKeyDictionary()
    lay_out = Text._get_layout  # type: ignore[attr-defined]

    def get_layout(self: Any, renderer: Any) -> Any:
        if self.get_wrap():  # then it depends on where the text stands
            return lay_out(self, renderer)
        of_renderer = known.setdefault(renderer, {})
        key = _text(self)
        if key not in of_renderer:
            of_renderer[key] = lay_out(self, renderer)
        return of_renderer[key]

    return get_layout


def _ticks() -> Any:
    known: WeakKeyDictionary[Any, tuple[Key, list[Any]]] = WeakKeyDictionary()
    update = Axis._update_ticks  # type: ignore[attr-defined]

    def update_ticks(self: Any) -> list[Any]:
        key = (*self.get_view_interval(), *self.axes.bbox.size, self.axes.get_figure(root=True).dpi)
        before = known.get(self)
        if before is None or before[0] != key:
            known[self] = before = key, update(self)
        return list(before[1])

    return update_ticks


def _text(text: Any) -> Key:
    """Return all that decides how a text lies around its place."""
    return (
        text.get_text(),
        _font(text.get_fontproperties()),
        text.get_figure(root=True).dpi,
        text.get_rotation(),
        text.get_rotation_mode(),
        text.get_horizontalalignment(),
        text.get_verticalalignment(),
        text._get_multialignment(),
        text._linespacing,
        text.get_usetex(),
        text.get_parse_math(),
    )


def _font(font: FontProperties) -> Key:
    return (
        tuple(font.get_family()),
        font.get_slant(),
        font.get_variant(),
        font.get_weight(),
        font.get_stretch(),
        font.get_size(),
        font.get_file(),
        font.get_math_fontfamily(),
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
