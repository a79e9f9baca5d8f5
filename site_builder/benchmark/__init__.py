"""`make bench`: the trainer against the published recipe on this machine.

`measure` runs everything in one process and returns a section of `experiments/speed/measured.json`, one
per kind of device, which `write` puts in place; `table` says it in the terminal. The file is committed, since timings
are no reproducible bytes: the Speed page draws the committed measurement.
"""

from site_builder.benchmark.measurement import measure
from site_builder.benchmark.report import table, write

__all__ = ["measure", "table", "write"]
