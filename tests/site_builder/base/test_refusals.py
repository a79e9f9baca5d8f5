"""What a disk refuses is told with the place that refused it."""

import errno

import pytest

from site_builder.base.refusals import refusal


def test_a_copy_that_the_disk_refuses_names_what_was_to_be_written_not_what_was_read():
    error = OSError(errno.ENOSPC, "No space left on device", "packages/theme/lunr.js", None, "build/site/lunr.js")
    assert refusal(error, "build") == (
        "build/site/lunr.js: the disk is full; free some space and run again; what was finished is kept"
    )


@pytest.mark.parametrize(("named", "told"), [("build/a", "build/a"), (None, "build")])
def test_another_refusal_names_its_file_or_the_place_it_happened_at(named, told):
    assert refusal(OSError(errno.EROFS, "Read-only file system", named), "build").startswith(f"{told}: ")


def test_what_no_disk_refuses_is_no_refusal():
    assert refusal(OSError(errno.ENOENT, "No such file or directory", "x"), "build") is None
