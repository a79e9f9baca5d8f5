"""Progress and notes reach a listener, and nothing happens without one."""

from experiments.core.progress import advance, listening, note, noting


def test_nothing_happens_without_a_listener():
    advance("training", 0.5)
    note("backend", "cpu")


def test_a_listener_hears_fractions_between_zero_and_one():
    heard = []
    with listening(lambda what, fraction: heard.append((what, fraction))):
        advance("training", 0.5)
        advance("training", 1.5)
    advance("training", 0.7)
    assert heard == [("training", 0.5), ("training", 1.0)]


def test_notes_belong_to_the_block_that_collects_them():
    with noting() as outer:
        note("backend", "cpu")
        with noting() as inner:
            note("threads", "2")
    assert outer == {"backend": "cpu"}
    assert inner == {"threads": "2"}
