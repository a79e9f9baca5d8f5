"""`make bench`: the trainer against the published recipe on this machine.

`measure` runs everything in one process and returns a section of `experiments/speed/measured.json`. The file has one
section per kind of device; `merged` replaces one of them, `table` prints it. The file is committed because timings are
not reproducible bytes: the Speed page draws the committed measurement.
"""

from experiments.speed.shared.measurement import PACKAGES, measure
from experiments.speed.shared.report import merged, table

__all__ = ["PACKAGES", "measure", "merged", "table"]
