"""What is remembered while a figure is drawn changes nothing of what is drawn."""

import gc
from contextlib import nullcontext

import numpy as np
import pytest

from experiments.core import plotting
from experiments.core.contract import FigureSpec
from site_builder.figures import figure_files
from site_builder.figures.remembered import remembering


def texts(result):
    """Draw texts that differ in one thing each, and some that are asked about after they changed."""
    figure, axes = plotting.new_figure(2, 2)
    for place, ax in enumerate(axes.flat):
        ax.plot([1, 10, 100], [0.1, 1.0, 10.0], label=f"line {place}\nof two $x^{place}$")
        ax.set(xlabel="same", ylabel="same", title="same")
        ax.xaxis.label.set_size(8 + place)
        ax.yaxis.label.set_style("italic" if place % 2 else "normal")
        for row, (ha, va) in enumerate((("left", "top"), ("right", "bottom"), ("center", "baseline"))):
            ax.text(0.5, 0.3 * row, "word\nlonger", ha=ha, va=va, rotation=30 * place, transform=ax.transAxes)
        ax.text(0.1, 0.9, "many words in a row", wrap=True, transform=ax.transAxes)
    axes[0, 0].set_xscale("log")
    changed = axes[0, 1].text(2, 2, "before")
    figure.draw_without_rendering()
    changed.set_text("and after")
    changed.set_rotation(45)
    changed.set_linespacing(2)
    plotting.legend(axes[1, 1], figure=figure)
    return figure


def heat(result):
    figure, ax = plotting.new_figure()
    plotting.gram(ax, np.linspace(-1, 1, 25).reshape(5, 5), label="cosine")
    return figure


@pytest.mark.parametrize("draw", [texts, heat])
def test_files_are_the_same_bytes_with_and_without(tmp_path, monkeypatch, draw):
    spec = FigureSpec("sample", "A sample", "caption", "alt", "", draw)
    found = []
    for name, context in (("with", remembering), ("without", nullcontext)):
        monkeypatch.setattr(figure_files, "remembering", context)
        (tmp_path / name).mkdir()
        found.append(figure_files.draw(spec, None, tmp_path / name, {"figure": "sample"}))
    assert found[0] == found[1]


def test_the_collector_of_garbage_is_left_as_it_was():
    with remembering():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with remembering():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
