"""`python -m site_builder <command>`."""

if __name__ == "__main__":  # a process that draws figures imports this module without running it
    import sys

    from site_builder.base import interruptions

    try:
        with interruptions.heeding():
            from site_builder.cli import app

            app(prog_name="python -m site_builder")
    except interruptions.Interrupted:
        sys.exit(interruptions.exit_code())
