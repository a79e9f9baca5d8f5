"""The bill of materials names what is installed, in the form that CycloneDX asks for."""

import re

import numpy

from site_builder.citing.bill_of_materials import bill_of_materials
from site_builder.citing.publication import Publication

PUBLICATION = Publication("A report", ("Somebody",), version="1.2.0")


def test_every_locked_package_is_named_once_with_its_installed_version(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("# a comment with ==\nnumpy==1.0\nJinja2==3.0 ; python_version > '3'\nno_such_package==1.0\n")
    bill = bill_of_materials(PUBLICATION, tmp_path)
    versions = {each["name"]: each["version"] for each in bill["components"]}
    assert versions.keys() == {"numpy", "jinja2"}
    assert versions["numpy"] == numpy.__version__
    assert bill["metadata"]["component"] == {
        "type": "application", "bom-ref": "report", "name": "A report", "version": "1.2.0",
    }  # fmt: skip


def test_the_form_is_that_of_cyclonedx(tmp_path):
    bill = bill_of_materials(PUBLICATION, tmp_path)
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    addresses = [each["bom-ref"] for each in bill["components"]]
    assert len(addresses) > 20
    assert len(set(addresses)) == len(addresses)
    for component in bill["components"]:
        assert component.keys() - {"licenses"} == {"type", "bom-ref", "name", "version", "purl"}
        assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@[^+\s]+", component["purl"])
    assert bill["dependencies"] == [{"ref": "report", "dependsOn": addresses}]
