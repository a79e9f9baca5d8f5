"""What an experiment is: a configuration, a run, figures drawn from its result, and claims decided by it.

A file under `experiments/<part>/` defines one experiment, in this order::

    @dataclass(frozen=True)
    class Config: ...                    # defaults are the published run
    @dataclass(frozen=True)
    class Result: ...                    # arrays and quantities

    experiment = Experiment(__name__, title=..., config=Config(), quick=Config(seeds=8))

    @experiment.run
    def run(config: Config, device: str) -> Result: ...

    @experiment.figure("figure-id", title=..., caption=..., alt=...)
    def draw(result: Result) -> Figure: ...

    @experiment.view("figure-id")
    def turn(result: Result) -> View: ...   # where a reader can move it by hand

    @experiment.claim("claim-id", statements=("A2",), criterion=above(0.5), ...)
    def measured(result: Result) -> Quantity: ...

`run` does no input or output and draws nothing; a figure function computes nothing that a sentence
could quote and saves nothing; a claim function returns the statistic, and the claim's criterion gives the verdict (see
`core.criteria`).
Reading, writing and printing belong to `site_builder`.

The fields of a result are numpy arrays, `Quantity` values, plain numbers and strings, tuples of them, and frozen
dataclasses of all these. A page quotes a quantity by its path: `{{ q("<experiment file>.<field>.<field>") }}`. Where
names follow from the configuration (one per density, say) a field is a dictionary declared with `keyed`, so that
every name that a page, a caption or a claim may use is known before anything runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.core.criteria import Criterion, Evidence, Verdict
from experiments.core.errors import ReportError, did_you_mean
from experiments.core.quantities import Quantity

if TYPE_CHECKING:  # pages are built from stored results without drawing, and matplotlib takes its time to import
    from matplotlib.figure import Figure

    from experiments.core.views import View

__all__ = ["ClaimSpec", "Evidence", "Experiment", "FigureSpec", "Verdict", "keyed", "undefined"]

F = TypeVar("F", bound=Callable[..., Any])


def undefined(why: str) -> Any:
    """Declare a result field that may hold NaN, and say what NaN means there; elsewhere NaN is an error."""
    return field(metadata={"undefined": why})


def keyed(names: Callable[[Any], Iterable[str]], why_undefined: str = "") -> Any:
    """Declare a dictionary field whose keys follow from the configuration: `names(config)` lists them.

    For example `keyed(lambda config: [f"{p:g}" for p in config.p])`. Keys may hold any sign but `:`, `!`, `{` and `}`.
    `why_undefined` says what NaN means in it, as `undefined` does for other fields.
    """
    return field(metadata={"keys": names} | ({"undefined": why_undefined} if why_undefined else {}))


@dataclass(frozen=True)
class FigureSpec:
    """One figure of an experiment.

    `caption` states the finding and `alt` describes the picture. Both may hold `{name}` or
    `{name:spec}` for any quantity of the result (see `Quantity.__format__`). `interval` says what
    error bars or bands show and how they were made; empty when the figure has none. `view` makes what
    a reader can move by hand on the page, if there is such a thing (see `core.views`).
    """

    id: str
    title: str
    caption: str
    alt: str
    interval: str
    draw: Callable[[Any], "Figure"]
    view: Callable[[Any], "View"] | None = None


@dataclass(frozen=True)
class ClaimSpec:
    """One statement in a form that data can decide.

    `statements` are ids of the notes ("A2"), `source` the paper's section if it makes the claim.
    `test` says in words what is measured, `criterion` gives the verdict and the sentence that says how it follows;
    both were written before the run. `published` is the verdict of the published (`full`) run, so that a
    rebuild that changes it is noticed.
    """

    id: str
    title: str
    statements: tuple[str, ...]
    source: str
    test: str
    criterion: Criterion
    figures: tuple[str, ...]
    published: Verdict | None
    decide: Callable[[Any], Quantity | Evidence]


@dataclass
class Experiment:
    """A registered experiment; see the module docstring for how a file defines one.

    `id` is the module's dotted name below `experiments` ("first_runs.starfish"). `config`, `quick`
    and `large` are values of one frozen dataclass with an integer field `seed`; `large` falls back to
    `config`. `inputs` are files, beside code, that the run reads: their digests are part of its key.
    `dormant` says why there is nothing to run here, if there is not (an optional file was not given): the experiment is
    then left out, and pages may ask `measured("<experiment file>")` before they show anything of it.
    """

    module: str
    title: str
    config: Any
    quick: Any
    large: Any = None
    inputs: tuple[Path, ...] = ()
    dormant: str = ""
    compute: Callable[[Any, str], Any] | None = field(default=None, init=False)
    figures: dict[str, FigureSpec] = field(default_factory=dict, init=False)
    claims: dict[str, ClaimSpec] = field(default_factory=dict, init=False)

    @property
    def id(self) -> str:
        return self.module.removeprefix("experiments.")

    def at(self, scale: str) -> Any:
        """Return the configuration for `scale`: "quick", "full" or "large"."""
        if scale == "quick":
            return self.quick
        return self.large if scale == "large" and self.large is not None else self.config

    def run(self, function: F) -> F:
        """Register `run(config, device) -> Result`."""
        self.compute = function
        return function

    def figure(self, id: str, *, title: str, caption: str, alt: str, interval: str = "") -> Callable[[F], F]:
        """Register `draw(result) -> Figure` under a slug that is never reused."""
        if not alt.strip() or not caption.strip():
            missing = "an alt text" if not alt.strip() else "a caption"
            raise ReportError(f"{self.id}: figure {id!r} needs {missing}; say in words what it shows")
        if id in self.figures:
            raise ReportError(f"{self.id}: two figures are called {id!r}; rename one")

        def register(draw: F) -> F:
            self.figures[id] = FigureSpec(id, title, caption, alt, interval, draw)
            return draw

        return register

    def view(self, id: str) -> Callable[[F], F]:
        """Register `view(result) -> View` for a figure registered above it."""
        if id not in self.figures:
            hint = did_you_mean(id, self.figures) or "; register the figure above its view"
            raise ReportError(f"{self.id}: a view belongs to the figure {id!r}, which is not there{hint}")
        if self.figures[id].view is not None:
            raise ReportError(f"{self.id}: figure {id!r} has two views; keep one")

        def register(view: F) -> F:
            self.figures[id] = replace(self.figures[id], view=view)
            return view

        return register

    def claim(
        self,
        id: str,
        *,
        title: str,
        test: str,
        criterion: Criterion,
        statements: tuple[str, ...] = (),
        source: str = "",
        figures: tuple[str, ...] = (),
        published: Verdict | None = None,
    ) -> Callable[[F], F]:
        """Register `measured(result) -> Quantity | Evidence`, which the criterion turns into a verdict."""
        if id in self.claims:
            raise ReportError(f"{self.id}: two claims are called {id!r}; rename one")

        def register(decide: F) -> F:
            self.claims[id] = ClaimSpec(id, title, statements, source, test, criterion, figures, published, decide)
            return decide

        return register
