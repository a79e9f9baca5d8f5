"""Who asks the program to end is heard, once politely and the second time at once."""

import os
import signal
import subprocess
import sys
import time

import pytest

from site_builder.base import interruptions


@pytest.fixture(autouse=True)
def default_handlers():
    """Start each test as a program in the foreground starts, whatever ran these tests."""
    before = {number: signal.getsignal(number) for number in interruptions.SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    interruptions._heard.clear()


def wait_for(number):
    os.kill(os.getpid(), number)
    time.sleep(5)


def swallow(passed):
    try:
        wait_for(signal.SIGINT)
    except BaseException:
        passed.append("swallowed")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_both_signals_interrupt_and_decide_what_the_program_ends_with(number, code):
    with pytest.raises(interruptions.Interrupted), interruptions.heeding():
        wait_for(number)
    assert interruptions.heard()
    assert interruptions.exit_code() == code
    assert signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL)


def test_a_request_that_somebody_swallowed_is_raised_at_the_end():
    passed = []
    with pytest.raises(interruptions.Interrupted), interruptions.heeding(), interruptions.heeding():
        swallow(passed)
    assert passed == ["swallowed"]


def test_a_keyboard_interrupt_that_nobody_asked_for_is_no_request():
    with pytest.raises(KeyboardInterrupt), interruptions.heeding():
        raise KeyboardInterrupt
    assert not interruptions.heard()


def test_a_signal_that_is_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interruptions.heeding():
        os.kill(os.getpid(), signal.SIGINT)
    assert not interruptions.heard()


def test_the_second_request_ends_the_program_at_once():
    program = (
        "import os, signal, time\n"
        "from site_builder.base import interruptions\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with interruptions.heeding():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def test_whoever_asks_is_told_of_every_signal_before_anything_is_done(monkeypatch):
    told = []
    monkeypatch.setattr(interruptions, "_told", [])
    interruptions.tell(lambda number: told.append((number, interruptions.heard())))
    with pytest.raises(interruptions.Interrupted), interruptions.heeding():
        os.kill(os.getpid(), signal.SIGTERM)
    assert told == [(signal.SIGTERM, False)]
