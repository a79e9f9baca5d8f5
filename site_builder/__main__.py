"""`python -m site_builder <command>`."""

SELDOM = (50_000, 20, 50)
"""How often garbage is collected: a command keeps nearly all that it makes, such as the syntax of all its code, and
with Python's own thresholds a quarter of its time for keys went into looking through that again and again."""


def _command() -> int:
    """Do what the command line asks for; ends with SystemExit."""
    import gc
    from pathlib import Path

    from site_builder.base import interruptions

    gc.set_threshold(*SELDOM)
    try:
        with interruptions.heeding():
            from site_builder.base.places import give_places

            if Path("experiments").is_dir():
                give_places(Path.cwd() / "build")
            from site_builder.cli import app

            app(prog_name="python -m site_builder")
    except interruptions.Interrupted:
        return interruptions.exit_code()
    return 0


if __name__ == "__main__":  # a process that draws figures imports this module without running it
    import sys

    from site_builder.base import guarded

    sys.exit(guarded.run(_command))
