"""What a disk, or the system, refuses to do with a file: in words that name the place."""

import errno
from pathlib import Path

OUTPUT = "the output"
"""What is called the place when a sentence cannot be printed."""

REFUSALS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "the disk is read-only; work in a folder that can be written",
    errno.EACCES: "writing there is not allowed; give yourself the right to write",
    errno.EPERM: "writing there is not allowed; give yourself the right to write",
    errno.ENOTDIR: "a file stands where a folder belongs; move it away",
    errno.ELOOP: "a link there leads to itself; remove it",
    errno.EIO: "the disk does not work; look after it",
    errno.ESTALE: "the disk of another machine is gone; connect it",
    errno.EBUSY: "something else holds this place, as a disk that is mounted on it; free it",
    errno.EFBIG: "a file would be larger than is allowed; raise the limit (`ulimit -f`)",
    errno.EMFILE: "too many files are open; raise the limit (`ulimit -n`)",
    errno.ENFILE: "the machine has too many files open; end what holds them",
}
"""What a disk or the system refuses, and how to mend it."""


def refusal(error: OSError, place: Path | str) -> str | None:
    """Return in one sentence what a disk refused, where the error names no file at `place`; None for another error."""
    if error.errno not in REFUSALS:
        return None
    where = error.filename2 or error.filename or place  # of a copy, the second is what was to be written
    return f"{where}: {REFUSALS[error.errno]} and run again; what was finished is kept"
