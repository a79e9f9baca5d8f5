"""What code may change for the whole process when it is imported, and so for every experiment after it."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from site_builder.base.interruptions import SIGNALS

State = dict[str, Any]
"""Values by what they are called in a sentence."""


def process_state() -> State:
    """Return the present state; what torch holds is in it once torch is there."""
    state: State = {"the working folder": os.getcwd(), "numpy's handling of errors": dict(np.geterr())}
    state |= {f"the handler of {signal.Signals(number).name}": signal.getsignal(number) for number in SIGNALS}
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_default_dtype"):
        state["torch's default type"] = torch.get_default_dtype()
    return state


def restored(before: State) -> list[str]:
    """Put back what differs from `before`, and return what that was."""
    now = process_state()
    expected = before | ({"torch's default type": sys.modules["torch"].float32} if "torch" in sys.modules else {})
    changed = [name for name, value in expected.items() if name in now and now[name] != value]
    for name in changed:
        _SETTERS[name](expected[name])
    return changed


_SETTERS: dict[str, Callable[[Any], object]] = {
    "the working folder": os.chdir,
    "numpy's handling of errors": lambda kinds: np.seterr(**kinds),
    "torch's default type": lambda kind: sys.modules["torch"].set_default_dtype(kind),
    "the handler of SIGINT": lambda handler: signal.signal(signal.SIGINT, handler),
    "the handler of SIGTERM": lambda handler: signal.signal(signal.SIGTERM, handler),
}
