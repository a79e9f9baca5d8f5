"""The dependency figure shows the imports that the code has."""

from pathlib import Path

import pytest

from site_builder.pages.rooms import Rooms, circles, drawn, floors, read_rooms

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path):
    files = {
        "experiments/core/errors.py": "X = 1\n",
        "experiments/waves/sine.py": "from experiments.core import errors\nimport numpy\n",
        "site_builder/store/files.py": "from experiments.core.errors import X\n",
        "site_builder/pages/render.py": "def f():\n    from site_builder.store import files\n",
        "site_builder/cli.py": "from site_builder.pages.render import f\nimport experiments.waves.sine\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_arrows_are_imports_between_packages_inside_functions_too(project):
    rooms = read_rooms(project)
    assert rooms.arrows == {
        ("experiments/<part>", "experiments/core"),
        ("site_builder/store", "experiments/core"),
        ("site_builder/pages", "site_builder/store"),
        ("site_builder", "site_builder/pages"),
        ("site_builder", "experiments/<part>"),
    }
    assert rooms.lines["site_builder"] == 2


def test_every_package_lies_above_what_it_imports(project):
    stack = floors(read_rooms(project))
    assert stack == [
        ["experiments/core"],
        ["experiments/<part>", "site_builder/store"],
        ["site_builder/pages"],
        ["site_builder"],
    ]


def test_packages_that_import_each_other_are_named_and_still_drawn():
    rooms = Rooms({"a": 1, "b": 1, "c": 1}, {("a", "b"), ("b", "a"), ("b", "c")})
    assert circles(rooms) == [("a", "b")]
    assert floors(rooms) == [["c"], ["a", "b"]]
    assert drawn(rooms).count("<path d=") == 3 + 1  # and the tip of the arrows


def test_names_are_escaped():
    assert "experiments/&lt;part&gt;" in drawn(Rooms({"experiments/<part>": 3}))


def test_no_packages_of_this_project_import_each_other_in_a_circle():
    assert circles(read_rooms(ROOT)) == []
