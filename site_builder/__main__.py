"""`python -m site_builder <command>`."""

from site_builder.cli import app

app(prog_name="python -m site_builder")
