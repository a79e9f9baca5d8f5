"""`python -m site_builder <command>`."""

from site_builder.cli import app

if __name__ == "__main__":  # a process that draws figures imports this module without running it
    app(prog_name="python -m site_builder")
