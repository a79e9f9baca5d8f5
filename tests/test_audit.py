"""The look-up of known vulnerabilities tells what is found, and refuses nothing without a network."""

from urllib.error import URLError

from tests import audit


def test_a_package_with_a_known_vulnerability_is_named():
    answers = [{}, {"vulns": [{"id": "PYSEC-1"}, {"id": "PYSEC-2"}]}]
    assert audit.found({"numpy": "2.1", "jinja2": "1.0"}, answers) == [
        "jinja2 1.0 has known vulnerabilities: PYSEC-1, PYSEC-2"
    ]


def test_without_a_network_it_says_so_and_passes(monkeypatch, capsys):
    def unreachable(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr(audit, "urlopen", unreachable)
    assert audit.main() == 0
    assert "were not looked up" in capsys.readouterr().out


def test_every_pinned_package_is_asked_for(monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr(audit, "asked", lambda pins: seen.update(pins) or [{} for _ in pins])
    assert audit.main() == 0
    assert {"numpy", "torch", "pytest"} <= seen.keys()
    assert all(version[0].isdigit() and " " not in version for version in seen.values())
