"""`make torture`: tries for some minutes to make a report lose, let in or show something wrong, and counts.

Writes `docs/torture.json` after every trial, which the page Method shows, and goes on from there when it is started
again with the same code. Ends with 1 if anything went wrong or something was not tried.
"""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

import experiments.core  # noqa: F401  (holds the libraries to the pinned instructions before any is loaded)
from tests.torture.campaign import KINDS, Campaign

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the campaign and return what the program ends with."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="after which no further trial begins")
    parser.add_argument("--only", default="", help=f"one kind of trial: {', '.join(KINDS)}")
    parser.add_argument("--again", action="store_true", help="forget what was counted before")
    parser.add_argument("--most", type=int, default=1000, help="so many trials of each kind in this run, at most")
    asked = parser.parse_args()
    if asked.only and asked.only not in KINDS:
        parser.error(f"--only is one of {', '.join(KINDS)}")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started here hears it, whatever started this
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        campaign = Campaign(ROOT, Path(folder), asked.minutes * 60, asked.most, again=asked.again)
        campaign.run([asked.only] if asked.only else list(KINDS))
    return int(not campaign.is_sound)


if __name__ == "__main__":
    sys.exit(main())
