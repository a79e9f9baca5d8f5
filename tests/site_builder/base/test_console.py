"""Plain lines where nobody watches, one moving bar where somebody does."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from site_builder.base import console
from site_builder.base.console import Bar, Lines, watching


def test_without_a_terminal_work_is_told_in_plain_lines_now_and_then(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 31.0, 32.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with watching() as watcher:
        assert isinstance(watcher, Lines)
        watcher.began("waves.sine")
        for step in range(3):
            watcher.advanced("training", step / 4)
        watcher.ended("waves.sine", 12.34)
        watcher.said("That was all.")
    assert capsys.readouterr().out.splitlines() == [
        "waves.sine ...",
        "  waves.sine: training, 25%",
        "waves.sine took 12.3 s",
        "That was all.",
    ]


def test_on_a_terminal_a_bar_moves_and_a_line_is_left_for_what_ended():
    screen = io.StringIO()
    with Progress(console=Console(file=screen, force_terminal=True, width=200), auto_refresh=False) as progress:
        bar = Bar(progress)
        bar.began("waves.sine")
        bar.advanced("training [1]", 0.5)
        assert (progress.tasks[0].percentage, progress.tasks[0].visible) == (50, True)
        assert progress.tasks[0].description == "waves.sine: training [1]"
        bar.ended("waves.sine", 3.0)
        bar.said("[link] said as it is")
        assert not progress.tasks[0].visible
    assert "waves.sine took 3.0 s" in screen.getvalue()
    assert "[link] said as it is" in screen.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_a_stream_cannot_encode_is_replaced(monkeypatch, encoding):
    raw = io.BytesIO()
    monkeypatch.setattr(console.sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    console.say_what_can_be_encoded()
    print("from 1 → 2 “so”", flush=True)
    assert raw.getvalue() == b"from 1 ? 2 ?so?\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_the_bar_of_a_narrow_plain_terminal_moves(encoding):
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    with Progress(
        *console.columns(), console=Console(file=screen, force_terminal=True, width=20), auto_refresh=False
    ) as progress:
        bar = Bar(progress)
        bar.began("waves.sine")
        bar.advanced("√2 of the training", 0.5)
        progress.refresh()
        bar.said("done → saved")
