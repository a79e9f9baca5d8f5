"""What a function depends on, in small packages written for each question."""

from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from site_builder.keys.closure import closure_of
from site_builder.keys.sources import Sources


@pytest.fixture
def package(tmp_path):
    """Return a function that writes modules of the package `pkg` and gives the closure of one of its functions."""

    def closure(root: str = "main.run", fields_of: str | None = None, typed: tuple[str, ...] = (), **modules: str):
        for name, text in modules.items():
            path = tmp_path / "pkg" / Path(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        for folder in {path.parent for path in (tmp_path / "pkg").rglob("*.py")} | {tmp_path / "pkg"}:
            (folder / "__init__.py").touch()
        classes = [_named(each) for each in typed]
        sources = Sources([tmp_path], ("pkg",))
        return closure_of(sources, _named(root), typed=classes, fields_of=fields_of and _named(fields_of))

    return closure


def _named(name: str):
    module, _, symbol = name.partition(".")
    return SimpleNamespace(__module__=f"pkg.{module}", __qualname__=symbol)


def names(closure) -> set[str]:
    return {symbol.removeprefix("pkg.") for symbol in closure.symbols}


def test_names_are_followed_through_functions_constants_and_classes(package):
    main = """
        RATE = 2
        UNUSED = 3
        class Base: ...
        class Model(Base):
            def step(self): return helper()
        def helper(): return RATE
        def other(): return UNUSED
        def run(config): return Model().step()
    """
    assert names(package(main=main)) == {"main.run", "main.Model", "main.Base", "main.helper", "main.RATE"}


@pytest.mark.parametrize(
    "imports",
    [
        "from pkg.lib import f\ndef run(): return f()",
        "from pkg.lib import f as g\ndef run(): return g()",
        "import pkg.lib\ndef run(): return pkg.lib.f()",
        "import pkg.lib as lib\ndef run(): return lib.f()",
        "from pkg import lib\ndef run(): return lib.f()",
        "from . import lib\ndef run(): return lib.f()",
        "from .lib import f\ndef run(): return f()",
        "from .lib import *\ndef run(): return f()",
        "def run():\n    from pkg.lib import f\n    return f()",
        "def run():\n    import pkg.lib\n    return pkg.lib.f()",
        "try:\n    from pkg.lib import f\nexcept ImportError:\n    f = None\ndef run(): return f()",
    ],
)
def test_every_way_to_import_a_function_leads_to_it_and_to_nothing_beside_it(package, imports):
    found = names(package(main=imports, lib="def f(): return g()\ndef g(): ...\ndef h(): ..."))
    assert {"main.run", "lib.f", "lib.g"} <= found
    assert "lib.h" not in found


def test_reexports_lead_to_the_definition(package):
    found = package(
        main="from pkg.api import f\ndef run(): f()", api="from .deep.lib import f", deep__lib="def f(): ..."
    )
    assert names(found) == {"main.run", "deep.lib.f"}


def test_star_reexports_lead_to_the_definition(package):
    found = package(main="from pkg.api import f\ndef run(): f()", api="from .lib import *", lib="def f(): ...")
    assert names(found) == {"main.run", "lib.f"}


def test_modules_imported_by_name_enter_whole(package):
    main = """
        from importlib import import_module
        def run(backend):
            import_module("pkg.setup")
            return import_module(f"pkg.backends.{backend}").train()
    """
    found = package(main=main, setup="X = 1", backends__cpu="def train(): ...", backends__cuda="def train(): ...")
    assert {"setup.X", "backends.cpu.train", "backends.cuda.train"} <= names(found)


def test_a_module_used_as_a_value_enters_whole(package):
    found = package(main="from pkg import lib\ndef run(name): return getattr(lib, name)()", lib="def f(): ...\nX = 1")
    assert names(found) == {"main.run", "lib.f", "lib.X"}


def test_statements_that_act_on_import_enter_with_any_symbol_of_their_module(package):
    lib = """
        import numpy
        TABLE = {}
        TABLE["a"] = 1
        numpy.seterr(all="raise")
        def f(): ...
        def g(): return TABLE
    """
    assert names(package(main="from pkg.lib import f\ndef run(): f()", lib=lib)) == {
        "main.run",
        "lib.f",
        "lib.(on import)",
    }
    assert "lib.TABLE" in names(package(main="from pkg.lib import g\ndef run(): g()", lib=lib))


def test_a_later_change_of_a_table_changes_its_digest(package):
    main = "from pkg.lib import TABLE\ndef run(): return TABLE"
    first = package(main=main, lib="TABLE = {}\nTABLE['a'] = 1").symbols["pkg.lib.TABLE"]
    assert package(main=main, lib="TABLE = {}\nTABLE['a'] = 2").symbols["pkg.lib.TABLE"] != first


def test_an_import_made_only_for_its_effect_is_followed(package):
    found = package(
        main="import pkg.setup\ndef run(): ...", setup="import numpy\nnumpy.seterr(all='raise')\ndef f(): ..."
    )
    assert names(found) == {"main.run", "setup.(on import)"}


def test_a_used_import_brings_no_effects_of_modules_the_root_does_not_use(package):
    main = "from pkg import plotting\ndef run(): ...\ndef draw(): plotting.f()"
    found = package(main=main, plotting="import matplotlib\nmatplotlib.use('agg')\ndef f(): ...")
    assert names(found) == {"main.run"}
    assert found.packages == set()


def test_functions_registered_by_a_first_party_decorator_enter_with_their_module(package):
    main = "from pkg.lib import lookup\ndef run(): return lookup('f')"
    lib = """
        TABLE = {}
        def register(f):
            TABLE[f.__name__] = f
            return f
        @register
        def f(): return 1
        def lookup(name): return TABLE[name]
        def unrelated(): return 3
    """
    first = package(main=main, lib=lib).symbols
    assert package(main=main, lib=lib.replace("return 3", "return 4")).symbols == first
    assert package(main=main, lib=lib.replace("return 1", "return 2")).symbols != first


def test_compiled_functions_bring_their_options_and_what_they_call(package):
    main = """
        import numba
        OPTIONS = {"fastmath": False}
        @numba.njit(**OPTIONS)
        def kernel(x): return inner(x)
        @numba.njit
        def inner(x): return x
        def run(): return kernel(1)
    """
    found = package(main=main)
    assert names(found) == {"main.run", "main.kernel", "main.inner", "main.OPTIONS"}
    assert found.packages == {"numba"}


def test_registration_with_an_experiment_is_no_part_of_a_function(package):
    text = """
        from pkg.contract import Experiment
        experiment = Experiment(__name__, title="A")
        @experiment.figure("f", caption="{caption}")
        def run(): ...
    """
    contract = "class Experiment: ..."
    first = package(main=text, contract=contract)
    assert names(first) == {"main.run"}
    assert package(main=text.replace("{caption}", "other"), contract=contract).symbols == first.symbols


def test_the_defaults_of_configuration_fields_are_left_to_the_values(package):
    text = "class Config:\n    seeds: int = 4\n    def half(self): return self.seeds // {n}\ndef run(): ..."
    first = package(main=text.format(n=2), fields_of="main.Config").symbols
    assert package(main=text.format(n=2).replace("= 4", "= 8"), fields_of="main.Config").symbols == first
    assert package(main=text.format(n=3), fields_of="main.Config").symbols != first
    used = text.format(n=2).replace("def run(): ...", "def run(): return Config()")
    symbols = package(main=used, fields_of="main.Config").symbols
    assert package(main=used.replace("= 4", "= 8"), fields_of="main.Config").symbols != symbols


def test_third_party_packages_are_those_that_the_closure_uses(package):
    main = """
        import json
        import numpy as np
        import scipy.stats
        from matplotlib.figure import Figure
        def run(): return np.zeros(1), json.dumps({})
        def draw() -> Figure: return Figure()
        def lazy():
            import torch
            return torch.zeros(1)
    """
    assert package(main=main).packages == {"numpy"}
    assert package("main.draw").packages == {"matplotlib"}
    assert package("main.lazy").packages == {"torch"}


def test_annotations_matter_only_in_classes_whose_types_are_stored(package):
    text = (
        "class Result:\n    x: {field}\ndef run(x: {argument}) -> {answer}:\n    y: {local} = 1\n    return Result(y)"
    )
    kinds = {"field": "int", "argument": "int", "answer": "int", "local": "int"}
    for typed, moving in (((), set()), (("main.Result",), {"field"})):
        first = package(typed=typed, main=text.format(**kinds)).symbols
        for kind in kinds:
            changed = package(typed=typed, main=text.format(**kinds | {kind: "float"})).symbols != first
            assert changed == (kind in moving)


def test_an_alias_that_only_annotates_is_followed_from_what_is_stored(package):
    text = "Kind = {kind}\nclass Data:\n    x: Kind\ndef run(): return Data(1)"
    first = package(main=text.format(kind="int"))
    assert names(first) == {"main.run", "main.Data"}
    assert package(main=text.format(kind="int | None")).symbols == first.symbols
    assert names(package(typed=("main.Data",), main=text.format(kind="int"))) == {"main.run", "main.Data", "main.Kind"}


@pytest.mark.parametrize("field", ["x: ClassVar[int] = 1", "x: 'InitVar[int]' = 1", "_: KW_ONLY"])
def test_annotations_that_dataclasses_act_upon_always_count(package, field):
    text = "class Data:\n    {field}\ndef run(): return Data()"
    plain = field.replace("ClassVar[int]", "int").replace("'InitVar[int]'", "int").replace("KW_ONLY", "int")
    assert package(main=text.format(field=field)).symbols != package(main=text.format(field=plain)).symbols


@pytest.mark.parametrize(
    "looks",
    [
        "get_type_hints(Data)",
        "Data.__annotations__",
        "getattr(Data, '__annotations__')",
        "[each.type for each in dataclasses.fields(Data)]",
        "[each.type for each in fields(Data)]",
        "[each.type for each in renamed(Data)]",
        "[each.name for each in fields(Data) if each.type is int]",
        "[str(each) for each in fields(Data)]",
        "[(each := found).name for found in fields(Data)]",
        "fields(Data)[0]",
        "list(map(str, fields(Data)))",
        "[each.name for each in fields(Data)], [each.type for each in dataclasses.fields(Data)]",
    ],
)
def test_code_that_looks_at_annotations_brings_them(package, looks):
    text = """
        import dataclasses
        from dataclasses import fields, fields as renamed
        from typing import get_type_hints
        class Data:
            x: {kind}
        def run(): return {looks}
    """
    first = package(main=text.format(kind="int", looks=looks)).symbols
    assert package(main=text.format(kind="float", looks=looks)).symbols != first


ASKING = [
    "[each.name for each in fields(Data)]",
    "{each.name: getattr(Data(1), each.name) for each in dataclasses.fields(Data) if each.init}",
    "dict(zip((each.name for each in renamed(Data)), [1], strict=True))",
]


@pytest.mark.parametrize("asks", ASKING)
def test_code_that_asks_fields_for_their_names_does_not_bring_their_types(package, asks):
    text = """
        import dataclasses
        from dataclasses import fields, fields as renamed
        def words(): return {{words}}
        class Data:
            x: {{kind}}
        def check(x):
            if x < {{limit}}: raise ValueError(words())
        def run():
            check(1)
            return {asks}
    """.format(asks=asks.replace("{", "{{").replace("}", "}}"))
    first = package(main=text.format(kind="int", words="'a'", limit=1)).symbols
    assert package(main=text.format(kind="float", words="'b'", limit=1)).symbols == first
    assert package(main=text.format(kind="int", words="'a'", limit=2)).symbols != first
    assert (
        package(main=text.replace("x: {kind}", "y: {kind}").format(kind="int", words="'a'", limit=1)).symbols != first
    )


def test_code_that_looks_at_annotations_does_not_bring_what_errors_say_nor_the_reverse(package):
    text = """
        from typing import get_type_hints
        class Data:
            x: {kind}
        def run():
            try:
                if Data(1).x < 1: raise ValueError({words})
            except ValueError{error}
            return {looks}
    """
    types = {"error": ": pass", "looks": "get_type_hints(Data)"}
    errors = {"error": " as error: print(error)", "looks": "Data(2)"}
    for looking, moves in ((types, "kind"), (errors, "words")):
        given = {"kind": "int", "words": "'a'"} | looking
        first = package(main=text.format(**given)).symbols
        for name, other in (("kind", "float"), ("words", "'b'")):
            assert (package(main=text.format(**given | {name: other})).symbols != first) == (name == moves)


RAISING = """
    class Wrong(Exception): ...
    def words(x): return {words}
    def check(x):
        assert x != 7, {words}
        if x < {limit}:
            raise Wrong(f"{{x}} is less than " + words(x) + {words})
    def run(x):
        {run}
"""


@pytest.mark.parametrize(
    "run",
    [
        "check(x)",
        "try: check(x)\n        except Wrong: return 1",
        "try: check(x)\n        except Wrong as error: raise ValueError(f'again: {error}') from error",
    ],
)
def test_what_an_error_says_does_not_matter_where_nothing_reads_it(package, run):
    first = package(main=RAISING.format(words="'a'", limit=1, run=run))
    assert "main.words" not in names(first)
    assert "main.check" in names(first)
    assert package(main=RAISING.format(words="'b'", limit=1, run=run)).symbols == first.symbols
    assert package(main=RAISING.format(words="'a'", limit=2, run=run)).symbols != first.symbols, "when it is raised"


@pytest.mark.parametrize(
    "run",
    [
        "try: check(x)\n        except Wrong as error: return str(error)",
        "try: check(x)\n        except Wrong: return sys.exc_info()",
        "return pool.submit(check, x).exception()",
        "try: check(x)\n        except Wrong as error: raise ValueError(1) from (found := error)",
    ],
)
def test_what_an_error_says_matters_where_something_reads_it(package, run):
    first = package(main=RAISING.format(words="'a'", limit=1, run=run))
    assert "main.words" in names(first)
    assert package(main=RAISING.format(words="'b'", limit=1, run=run)).symbols != first.symbols


def test_a_lambda_or_inner_function_brings_its_whole_module(package):
    found = package(
        "main.make.<locals>.run", main="X = 1\ndef make():\n    def run(): ...\n    return run\nmake = make()"
    )
    assert names(found) == {"main.X", "main.make"}


def test_cycles_end(package):
    found = package(main="from pkg.lib import f\ndef run(): f()", lib="from pkg.main import run\ndef f(): run()")
    assert names(found) == {"main.run", "lib.f"}


def test_digests_do_not_depend_on_the_order_in_which_symbols_are_met(package):
    lib = "def a(): b()\ndef b(): a()\nprint(a)\nprint(b)"
    first = package(main="from pkg.lib import a, b\ndef run(): a(); b()", lib=lib).symbols
    second = package(main="from pkg.lib import b, a\ndef run(): b(); a()", lib=lib).symbols
    del first["pkg.main.run"], second["pkg.main.run"]
    assert first == second
