"""A long report says beforehand how long it takes, and on the way how much of it is left."""

import time
from dataclasses import dataclass

import pytest

from site_builder.base.console import Clock, Lines, in_words
from site_builder.running.forecast import Forecast


@dataclass
class Piece:
    name: str
    seconds: float = 0.0
    is_run: bool = True


@pytest.fixture
def heard(tiny):
    tiny.heard.shares = []
    tiny.heard.progressed = tiny.heard.shares.append
    return tiny.heard


def test_a_long_report_says_how_long_it_takes_and_what_is_faster(heard):
    Forecast([Piece("long", 1000.0), Piece("longer", 2000.0)], heard).tell(2)
    (sentence,) = heard.sentences
    assert sentence.startswith("This takes about 25 min")
    assert "`make site`" in sentence
    assert "SCALE=quick" in sentence


@pytest.mark.parametrize("pieces", [[Piece("short", 5.0)], [Piece("unknown"), Piece("other")], []])
def test_nothing_is_said_of_what_is_short_or_unknown(heard, pieces):
    Forecast(pieces, heard).tell(1)
    assert heard.sentences == []


@pytest.fixture
def clock(monkeypatch):
    """The seconds that have passed, as a list of one that a test may change."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_pieces_count_by_the_time_they_take(heard, clock):
    long, short = Piece("long", 90.0), Piece("short", 10.0)
    forecast = Forecast([long, short], heard)
    forecast.finished(short)
    forecast.advanced("long", 0.1)
    clock[0] = 200.0
    forecast.advanced("long", 0.5)
    forecast.advanced("long", 0.2)  # the next step of the same experiment starts anew
    forecast.finished(long)
    assert heard.shares == pytest.approx([0.0, 0.1, 0.1, 0.55, 0.55, 1.0])


def test_a_short_first_step_that_is_at_its_end_counts_no_more_than_the_time_it_took(heard, clock):
    forecast = Forecast([Piece("long", 100.0), Piece("other", 100.0)], heard)
    forecast.advanced("long", 0.5)
    clock[0] = 4.0
    forecast.advanced("long", 1.0)
    assert heard.shares == pytest.approx([0.0, 0.0, 0.02])


def test_work_that_comes_up_later_counts_from_then_on(heard):
    forecast = Forecast([Piece("run", 9.0)], heard)
    forecast.added(Piece("run", 9.0))
    forecast.finished(Piece("run", 9.0))
    forecast.added(Piece("figure", 1.0, is_run=False))
    assert forecast.share() == pytest.approx(0.9)


def test_the_time_left_follows_from_the_time_that_passed(clock):
    shown = Clock()
    assert shown.words() == ""
    clock[0], shown.share = 600.0, 0.25
    assert shown.words() == "25% done, about 30 min left"


def test_work_that_begins_once_more_has_a_time_of_its_own(clock, capsys):
    """Each round of a campaign of other seeds is work of its own."""
    shown = Lines()
    for start in (0.0, 4000.0):
        clock[0] = start
        pieces = Forecast([Piece("a", 40.0), Piece("b", 120.0)], shown)
        clock[0] = start + 40.0
        pieces.finished(Piece("a", 40.0))
        shown.advanced("b", 0.1)
    assert capsys.readouterr().out.count("  25% done, about 2 min left; now b") == 2


@pytest.mark.parametrize(("seconds", "words"), [(3, "10 s"), (44, "40 s"), (100, "2 min"), (4800, "1 h 20 min")])
def test_times_to_come_are_told_as_exactly_as_they_are_known(seconds, words):
    assert in_words(seconds) == words
