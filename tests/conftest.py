"""Records of a report that never ran, for everything that only shows reports."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments.core import plotting
from experiments.core.contract import FigureSpec, Verdict
from experiments.core.quantities import Quantity, exact, mean, share
from experiments.core.views import Cloud, Curves, Frames, Solid, Solids
from site_builder.figures import figure_files, view_files
from site_builder.store.records import ClaimRecord, FigureRecord, FileRecord, Report, RunRecord, Source

RUN = RunRecord(
    experiment="first_runs.starfish",
    title="The first run over many seeds",
    scale="full",
    config={"seed": 0, "seeds": 256, "density": (1.0, 0.1, 0.01), "epochs": 40, "learning_rate": 1e-3},
    key="3b8e0c" * 10 + "aaaa",
    device="cpu",
    hardware="A processor with two cores",
    instructions="x86-64-v3",
    threads=2,
    seconds=83.2,
    versions={"python": "3.11.9", "torch": "2.13.0", "numpy": "2.4.6"},
    commit="0123456789abcdef0123456789abcdef01234567",
    dirty=False,
    notes={"backend": "cpu"},
)


def starfish(result: SimpleNamespace) -> Figure:
    figure, axes = plotting.new_figure(1, 3, panel="square")
    for axis, seed in zip(axes, range(3), strict=True):
        angles = np.linspace(0, 2 * np.pi, 6)[:5] + seed
        axis.plot(np.cos(angles), np.sin(angles), "o", color=plotting.colour("accent"))
        axis.set(xlabel="first hidden dimension", ylabel="second hidden dimension")
    return figure


def lines(result: SimpleNamespace) -> Figure:
    figure, axes = plotting.new_figure(width="wide", height=3.2)
    p = np.geomspace(0.01, 1, 20)
    for index, scale in enumerate((1.0, 0.5, 0.25)):
        axes.plot(p, scale * p * (1 - 0.5 * p), color=plotting.series(index), label=f"n = {index + 3}")
    axes.set(xscale="log", xlabel="probability p that a feature is present", ylabel="loss")
    axes.legend()
    return figure


def tetrahedra(result: SimpleNamespace) -> Solids:
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    edges = tuple((i, j) for i in range(4) for j in range(i))
    faces = ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))
    whole = Solid("tetrahedron", corners, edges, faces, labels=("a", "b", "<c>", "</script>d"), colours=(0, 1, 2, 3))
    return Solids("A tetrahedron and its wires & corners", (whole, Solid("wires", corners, edges)))


def spiral(result: SimpleNamespace) -> Frames:
    angle, time = np.linspace(0, 2, 5)[:, None] + np.arange(3), np.arange(5.0)
    flat = np.stack([np.cos(angle), np.sin(angle)], axis=2)
    space = np.concatenate([flat, 0.3 * angle[..., None]], axis=2)
    ticks = ((0.0, "0"), (4.0, "4"))
    course = Curves("A fall", time, np.stack([4 - time, time], axis=1), "step", "loss", ticks, ticks, ("down", "up"))
    return Frames(
        "Three arrows turn while the loss falls",
        tuple(f"step {step}, loss {4 - step}" for step in range(5)),
        (Cloud("The plane", flat), Cloud("Space", space, shown="points"), course),
    )


def _figure(id: str, title: str, draw: object, view: object, figures: Path, *, drawn: bool) -> FigureRecord:
    caption = f"{title}, drawn for a test: where $p$ is small, the loss of $W^T W$ falls to 0.12 [0.11, 0.13]."
    alt = f"A plot made for a test, named {title.lower()}, with labelled axes and a few marks."
    interval = "Wilson score intervals over 256 seeds, 95 %"
    spec = FigureSpec(id, title, caption, alt, interval, draw, view)  # type: ignore[arg-type]
    folder = figures / id / "0123456789ab"
    folder.mkdir(parents=True)
    if drawn:
        files, digest = figure_files.draw(spec, SimpleNamespace(), folder, {"figure": id})
        files |= view_files.write(spec, SimpleNamespace(), folder)
    else:
        files, digest = _stand_ins(id, folder), hashlib.sha256(id.encode()).hexdigest()
    return FigureRecord(
        id=id,
        title=title,
        caption=caption,
        alt=alt,
        interval=interval,
        experiment=RUN.experiment,
        run=RUN,
        source=Source("experiments/core/contract.py", 1, 24),
        draw_key=hashlib.sha256(title.encode()).hexdigest(),
        digest=digest,
        files={kind: replace(file, path=f"{id}/0123456789ab/{file.path}") for kind, file in files.items()},
        claims=(f"{id}-holds",),
    )


def _stand_ins(id: str, folder: Path) -> dict[str, FileRecord]:
    """Write files that no one drew, for tests that look at pages and not at pictures."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="468pt" height="180pt"><title>{id}</title></svg>'
    line = {"label": "", "kind": "line", "columns": {"x": [1.0], "y": [2.0]}}
    panel = {"title": "", "x": "", "y": "", "value": "", "series": [line]}
    contents = {
        "light.svg": svg,
        "dark.svg": svg,
        "light.small.png": "png",
        "dark.small.png": "png",
        "png": "png",
        "pdf": "pdf",
        "csv": "x,y\n1,2\n",
        "json": json.dumps({"figure": id, "panels": [panel]}),
    }
    for kind, text in contents.items():
        (folder / f"{id}.{kind}").write_text(text, "utf-8")
    return {
        kind: FileRecord(f"{id}.{kind}", hashlib.sha256(text.encode()).hexdigest(), len(text))
        for kind, text in contents.items()
    }


def _claim(id: str, title: str, statement: str, value: Quantity, verdict: Verdict, figure: str) -> ClaimRecord:
    return ClaimRecord(
        id=id,
        title=title,
        experiment=RUN.experiment,
        scale="full",
        statements=(statement,),
        source="Toy Models of Superposition, section 2",
        test="The share of 256 seeds in which it happens, at $p = 0.1$.",
        criterion="Supported if the interval lies above one half, refuted if below, otherwise inconclusive.",
        statistic=value,
        verdict=verdict,
        published=verdict,
        figures=(figure,),
    )


def make_report(figures: Path, *, drawn: bool) -> Report:
    """Return a report of two figures and four claims, with their files below `figures`."""
    hits = share(np.arange(256) < 151)
    records = [
        _figure("starfish", "Five directions in a plane", starfish, tetrahedra, figures, drawn=drawn),
        _figure("loss-over-p", "Loss as features become rarer", lines, spiral, figures, drawn=drawn),
    ]
    claims = [
        _claim("starfish-holds", "Most runs find the pentagon", "A1", hits, Verdict.SUPPORTED, "starfish"),
        _claim("pairs-are-exact", "Antipodal pairs are exact", "A3", exact(0.0317, "rad"), Verdict.REFUTED, "starfish"),
        _claim(
            "loss-over-p-holds",
            "Two dedicated directions have a lower loss",
            "A4",
            mean([0.11, 0.12, 0.13]),
            Verdict.MIXED,
            "loss-over-p",
        ),
        _claim("triangle", "Rare features form a triangle", "A5", hits, Verdict.INCONCLUSIVE, "loss-over-p"),
    ]
    return Report(
        scale="full",
        runs={RUN.experiment: RUN},
        figures={figure.id: figure for figure in records},
        claims={claim.id: claim for claim in claims},
        quantities={"starfish.share_five": hits, "starfish.loss": mean([0.11, 0.12, 0.13])},
    )


@pytest.fixture(scope="session")
def drawn_report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """A report that never ran, with figures to look at, and the folder `figures/` of their files."""
    figures = tmp_path_factory.mktemp("drawn") / "figures"
    return make_report(figures, drawn=True), figures


@pytest.fixture
def fake_report(tmp_path: Path) -> Report:
    """A report that never ran; the files of its figures lie in `tmp_path / "build" / "figures"`."""
    return make_report(tmp_path / "build" / "figures", drawn=False)
