"""What the site was made with: a software bill of materials in CycloneDX (https://cyclonedx.org), read off the
environment that the build runs in."""

from importlib import metadata
from pathlib import Path
from typing import Any

from site_builder.base.locks import normal, runtime
from site_builder.citing.publication import Publication


def bill_of_materials(publication: Publication, root: Path) -> dict[str, Any]:
    """Return the bill: the report, and every installed package that the locks in `root` name (or all)."""
    named = runtime(root)
    found = {normal(each.metadata["Name"]): each for each in metadata.distributions() if each.metadata["Name"]}
    components = [_component(name, found[name]) for name in sorted(found) if name in named or not named]
    report = {"type": "application", "bom-ref": "report", "name": publication.title, "version": publication.version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {name: value for name, value in report.items() if value}},
        "components": components,
        "dependencies": [{"ref": "report", "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _component(name: str, package: metadata.Distribution) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{package.version.replace('+', '%2B')}"
    expression = package.metadata.json.get("license_expression")
    licence = {"licenses": [{"expression": expression}]} if expression else {}
    return {"type": "library", "bom-ref": address, "name": name, "version": package.version, "purl": address} | licence
