"""The experiments: one file each, in a folder per part of the notes. See `docs/add_an_experiment.md`."""
