"""A command that something else ends is never taken for one that came to its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]

PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
from site_builder.base import guarded, interruptions

def command():
    try:
        with interruptions.heeding(), guarded.at("importing experiments/part/file.py"):
            {body}
    except interruptions.Interrupted:
        print("tidied up", flush=True)
        return interruptions.exit_code()
    return 0

sys.exit(guarded.run(command))
"""


def start(body, **options):
    text = PROGRAM.replace("{body}", body.replace("\n", "\n            "))
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        start_new_session=True,
        **options,
    )


def ended(body):
    process = start(body)
    said, wrong = process.communicate(timeout=30)
    return process.returncode, said, wrong


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("print('done')", 0, "done\n"),
        ("print('done'); sys.exit(3)", 3, "done\n"),
        ("print('done'); sys.exit(None)", 0, "done\n"),
    ],
)
def test_a_command_that_comes_to_its_end_keeps_its_status_and_words(body, status, said):
    assert ended(body) == (status, said, "")


def test_words_given_to_sys_exit_are_said_and_end_with_1():
    assert ended("sys.exit('wrong')") == (1, "", "wrong\n")


@pytest.mark.parametrize(
    ("body", "status", "how"),
    [
        ("os._exit(0)", 1, "was ended by a call of os._exit(0)"),
        ("os._exit(7)", 1, "was ended by a call of os._exit(7)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 139, "crashed (Segmentation fault)"),
        ("os.abort()", 134, "crashed (Aborted)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "was killed, as for lack of memory,"),
    ],
)
def test_a_command_that_is_ended_from_within_says_so_and_where_it_was(body, status, how):
    where = "while importing experiments/part/file.py"
    assert ended(body) == (status, "", f"This command {how} {where} before it was done; what was finished is kept.\n")


def test_a_process_that_the_command_forked_does_not_speak_for_it():
    assert ended("if os.fork() == 0: guarded._say('end'); os._exit(0)\nos.wait()\nos._exit(0)")[0] == 1


WAITING = "print('ready', flush=True); time.sleep(30)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to one process", "as a terminal does"])
def test_a_signal_reaches_the_command_once(number, send):
    process = start(WAITING)
    process.stdout.readline()
    send(process.pid, number)
    assert process.communicate(timeout=20) == ("tidied up\n", ""), "a second signal would have ended it at once"
    assert process.returncode == 128 + number


def test_the_second_signal_ends_the_command_at_once():
    process = start(
        "print('ready', flush=True)\ntry: time.sleep(30)\nfinally: print('tidies', flush=True); time.sleep(30)"
    )
    process.stdout.readline()
    for word in ("tidies\n", ""):
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == word
    process.communicate(timeout=20)
    assert process.returncode == 130


@pytest.mark.skipif(sys.platform != "linux", reason="only there does the system end a process with its parent")
def test_a_command_does_not_outlive_its_parent():
    process = start("print(os.getpid(), flush=True); time.sleep(30)")
    child = int(process.stdout.readline())
    process.kill()
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    limit = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < limit:
        time.sleep(0.01)
    assert not Path(f"/proc/{child}").exists()


def test_a_long_command_may_say_much():
    said = "for i in range(10000):\n    with guarded.at(f'importing {i}'): pass\n"
    assert "while importing the last before" in ended(f"{said}with guarded.at('importing the last'): os._exit(0)")[2]


def test_what_a_block_was_at_is_over_when_the_block_is():
    inner = "with guarded.at('drawing a figure'): pass\n"
    assert "while importing experiments/part/file.py before" in ended(f"{inner}os._exit(0)")[2]
    raises = "try:\n    with guarded.at('drawing a figure'): raise ValueError\nexcept ValueError: os._exit(0)"
    assert "while importing experiments/part/file.py before" in ended(raises)[2]


def test_files_do_not_take_the_place_of_streams_that_were_closed():
    program = "from site_builder.base import guarded\nguarded.run(lambda: print(open('/dev/zero').fileno() > 2) or 0)"
    call = ["bash", "-c", f'"{sys.executable}" -c "{program}" <&- 2>&-']
    done = subprocess.run(call, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n")
