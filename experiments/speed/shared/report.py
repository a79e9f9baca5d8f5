"""The measurement as a file and as a table in the terminal."""

import json
from statistics import median
from typing import Any

HEADINGS = ("instances", "n", "d", "batch", "ratio", "required", "aim", "samples/s", "of ceiling")


def merged(file: str, device: str, section: dict[str, Any]) -> str:
    """Return the text of the measurement file with the section of one kind of device replaced; "" is an empty file."""
    sections = json.loads(file) if file else {}
    sections[device] = section
    return json.dumps(sections, indent=1, sort_keys=True) + "\n"


def table(section: dict[str, Any]) -> str:
    """Return the rows of a section as text, then throughput, memory and compilation."""
    rows = [HEADINGS, *(_row(row, section["ceilings"]) for row in section["rows"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*lines, "", *_sweep(section), *_autoencoders(section), "", *_costs(section), *_warning(section)])


def ratio(row: dict[str, Any]) -> float:
    """Return how many times faster than the published recipe: the ratio of medians."""
    return float(median(row["plain"]) / median(row["ours"]))


def _row(row: dict[str, Any], peaks: dict[str, float]) -> tuple[str, ...]:
    seconds = median(row["ours"])
    best = row["multiply_adds"] / peaks["multiply_adds"] + row["draws"] / peaks["draws"]
    met = "" if ratio(row) >= row["required"] else " missed"
    return (
        *(str(row[name]) for name in ("instances", "features", "hidden", "batch")),
        f"{ratio(row):.1f}{met}",
        f"{row['required']:g}",
        f"{row['aim']:g}",
        f"{row['instances'] * row['batch'] / seconds:.3g}",
        f"{best / seconds:.0%}",
    )


def _sweep(section: dict[str, Any]) -> list[str]:
    over = [f"{row['instances']}: {_samples(row):.3g}" for row in section["instances"]]
    sizes = [f"({row['features']}, {row['hidden']}): {_samples(row):.3g}" for row in section["features"]]
    return [f"samples/s over instances of (5, 2): {', '.join(over)}", f"samples/s over (n, d): {', '.join(sizes)}"]


def _autoencoders(section: dict[str, Any]) -> list[str]:
    return [
        f"sparse autoencoders, {row['instances']} at once: {ratio(row):.1f} times as fast as {row['against']}, "
        f"{_samples(row):.3g} samples/s"
        for row in section.get("autoencoders", [])
    ]


def _samples(row: dict[str, Any]) -> float:
    return float(row["instances"] * row["batch"] / median(row["ours"]))


def _costs(section: dict[str, Any]) -> list[str]:
    lines = [
        f"peak memory of ({row['instances']}, {row['features']}, {row['hidden']}): "
        f"{row['bytes'] / 1e9:.2f} GB of {row['allowed'] / 1e9:g} GB"
        for row in section["memory"]
    ]
    first = section["first_call"]
    compiled = f"{first['compiling']:.1f} s compiling, {first['from_disk']:.2f} s with the compiled code on disk"
    return [*lines, f"first call: {compiled}", f"measured on {section['machine']}, {section['date']}"]


def _warning(section: dict[str, Any]) -> list[str]:
    busy = section["load"] > section["threads"] / 4
    return [f"The machine was busy (load {section['load']:.1f}); measure again when it is quiet."] if busy else []
