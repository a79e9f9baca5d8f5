"""What a command was asked for, checked word by word."""

from dataclasses import dataclass, field

from experiments.core.errors import ReportError, did_you_mean

DEVICES = ("auto", "cpu", "cuda")
SCALES = ("quick", "full", "large")


class WrongOption(ReportError):
    """A word on the command line that means nothing here; the command line ends with 2 instead of 1."""


@dataclass(frozen=True)
class Options:
    """What to build: `scale` ("quick", "full", "large"), class of `device` ("cpu", "cuda"), `only` some experiments.

    Without `compute` nothing runs: what is not stored is absent. With `shipped` all results are the published ones.
    `jobs` experiments run side by side, in processes of their own unless it is 1; it decides how soon a report is there
    and nothing of what it says; nor does `cluster`, the address of a dask scheduler whose workers run the experiments.
    `seed_raised_by` is added to every experiment's seed: 0 is the published run.
    """

    scale: str = "full"
    device: str = "cpu"
    only: str | None = None
    compute: bool = True
    shipped: bool = False
    jobs: int = field(default=1, repr=False, compare=False)
    cluster: str = field(default="", repr=False, compare=False)
    seed_raised_by: int = 0


def chosen(value: str, known: tuple[str, ...], option: str) -> str:
    """Return `value` if it is one of `known`; raises WrongOption naming the option and the nearest choice."""
    if value in known:
        return value
    raise WrongOption(f"{option}: there is no {value!r}, only {', '.join(known)}{did_you_mean(value.lower(), known)}")
