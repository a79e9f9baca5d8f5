"""`make audit`: known vulnerabilities of the pinned packages, asked of osv.dev; passes without a network."""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from site_builder.base.locks import RUNTIME, locked

SERVICE = "https://api.osv.dev/v1/querybatch"
LOCKS = (*RUNTIME, "requirements-dev.lock")


def asked(pins: dict[str, str]) -> list[Any]:
    """Return the service's answer for each package, in order."""
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in pins.items()]
    request = Request(SERVICE, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=20) as answer:
        return list(json.load(answer)["results"])


def found(pins: dict[str, str], answers: list[Any]) -> list[str]:
    """Return a sentence for each package with known vulnerabilities."""
    return [
        f"{name} {version} has known vulnerabilities: {', '.join(each['id'] for each in answer['vulns'])}"
        for (name, version), answer in zip(pins.items(), answers, strict=True)
        if answer.get("vulns")
    ]


def main() -> int:
    """Ask, say what was found, and return 1 if that was anything."""
    root = Path(__file__).parents[1]
    pins = {name: version for lock in LOCKS for name, version in locked(root / lock).items()}
    try:
        wrong = found(pins, asked(pins))
    except (URLError, OSError, ValueError, KeyError) as error:
        sys.stdout.write(f"Known vulnerabilities were not looked up: {SERVICE} does not answer ({error}).\n")
        return 0
    sys.stdout.write("\n".join(wrong or [f"No vulnerability of the {len(pins)} pinned packages is known."]) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
