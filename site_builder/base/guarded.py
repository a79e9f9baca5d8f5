"""A command in a process of its own: whatever ends it, its parent knows, says so and never calls that well.

Code of an experiment may call `os._exit(0)` or crash, and then nothing after it in its process can notice. So the
command runs in a fork that says what it is at and, as its last act, that it came to its end. The parent has imported
nothing heavy; both stand in the same process group, so that a terminal treats them as one.
"""

import contextlib
import ctypes
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator
from types import FrameType

from site_builder.base import interruptions

PASSED_ON = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name))
"""What asks a command to end. Sent to the parent alone it is passed on; a Ctrl-C reaches both processes by itself."""

SECONDS_TO_HEAR = 0.2
"""How long the parent waits for word that the command heard a signal itself."""

SECONDS_BETWEEN_LOOKS = 0.005

ASKS_TO_END = (signal.SIGINT, signal.SIGTERM, 1)  # 1 is SIGHUP, which not every system names
"""Ended by these, a command did what it was asked for."""

DIED_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""

_to_parent: int | None = None
_at: list[str] = []


@contextlib.contextmanager
def at(what: str) -> Iterator[None]:
    """Note what the command is at in the block, in words that follow "while": named if the block ends the command."""
    _at.append(what)
    _say(f"at {what}")
    try:
        yield
    finally:
        _at.pop()
        _say(f"at {_at[-1] if _at else ''}")


def run(command: Callable[[], int]) -> int:
    """Run `command` in a process of its own and return its exit status; 1, with a sentence, if it did not end itself.

    Where no process can be forked, as on Windows, the command runs in this one.
    """
    _open_what_is_closed()
    if not hasattr(os, "fork"):
        return command()
    sys.stdout.flush()
    sys.stderr.flush()
    heard, said = os.pipe()
    parent = os.getpid()
    # The command may be asked to end before this process can pass that on: such a signal waits.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    child = os.fork()
    if child:
        os.close(said)
        return _Parent(child, heard).status(mask)
    os.close(heard)
    _become_child(said, parent)
    status = 1
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        status = command()
    except SystemExit as error:
        status = _status_of(error)
    except KeyboardInterrupt:  # before the command could listen
        status = 128 + signal.SIGINT
    finally:
        gc.freeze()  # the end of the process need not look through all that there is for garbage
        _say("end")
    return status


def _open_what_is_closed() -> None:
    """Open the standard streams to nothing where the caller closed them, so that no file takes their place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # which takes the lowest free number
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


def _become_child(said: int, parent: int) -> None:
    global _to_parent
    _to_parent = said
    interruptions.tell(lambda number: _say(f"heard {number}"))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(DIED_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _say(word: str) -> None:
    if _to_parent is not None:
        with contextlib.suppress(OSError):
            os.write(_to_parent, f"{os.getpid()} {word}\n".encode())


def _status_of(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    print(error.code, file=sys.stderr)
    return 1


class _Parent:
    """Waits for the command, passes signals on, and knows from its words whether it came to its end."""

    def __init__(self, child: int, heard: int) -> None:
        self.child, self.heard = child, heard
        self.rest = b""
        self.what = ""
        self.has_ended = False
        self.received: list[tuple[int, float]] = []
        self.told: list[int] = []
        self.passed: list[int] = []
        self.asked: set[int] = set()

    def status(self, mask: Collection[int]) -> int:
        """Return the exit status of the command, once it is over; `mask` are the signals blocked from now on."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in PASSED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._receive)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        ended = None
        while ended is None:
            ended = self._ended()
            self._listen([self.heard, woken], SECONDS_TO_HEAR if ended is None else 0)
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            self._pass_on()
        return self._told(ended)

    def _ended(self) -> int | None:
        process, status = os.waitpid(self.child, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if process else None

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received.append((number, time.monotonic()))

    def _pass_on(self) -> None:
        """Hand signals to the command, unless it said in time that it has got them from elsewhere.

        One that cannot say so, because it is busy in compiled code, takes both for one when it comes back.
        """
        for number, when in list(self.received):
            if number in self.told:
                self.told.remove(number)
            elif time.monotonic() - when < SECONDS_TO_HEAR:
                continue
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.child, number)
                self.passed.append(number)
            self.received.remove((number, when))

    def _listen(self, places: list[int], seconds: float) -> None:
        """Read what the command said, once anything is said, a signal arrives or some time has passed."""
        if self.heard not in select.select(places, [], [], seconds)[0]:
            return
        words = os.read(self.heard, 65536)
        if not words:
            time.sleep(SECONDS_BETWEEN_LOOKS)  # it is about to end
        *lines, self.rest = (self.rest + words).split(b"\n")
        for line in lines:
            self._hear(line.decode("utf-8", "replace"))

    def _hear(self, line: str) -> None:
        process, _, words = line.partition(" ")
        if process != str(self.child):
            return  # a process that the command forked says nothing of the command
        kind, _, rest = words.partition(" ")
        if kind == "at":
            self.what = rest
        elif kind == "heard" and int(rest) in self.passed:
            self.passed.remove(int(rest))
        elif kind == "heard":
            self.told.append(int(rest))
        if kind == "heard":
            self.asked.add(int(rest))
        self.has_ended |= kind == "end"

    def _told(self, status: int) -> int:
        """Return the status to end with; say what happened where the command itself could not."""
        asked_by = status - 128 if status > 128 else -status
        if (self.has_ended and status >= 0) or asked_by in self.asked | set(ASKS_TO_END):
            return status if status >= 0 else 128 - status
        if status == -signal.SIGKILL:
            how = "was killed, as for lack of memory,"
        elif status < 0:
            how = f"crashed ({signal.strsignal(-status)})"
        else:
            how = f"was ended by a call of os._exit({status})"
        place = f" while {self.what}" if self.what else ""
        print(f"This command {how}{place} before it was done; what was finished is kept.", file=sys.stderr)
        return 128 - status if status < 0 else 1
