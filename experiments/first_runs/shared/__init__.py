"""What the experiments of the reader's own runs share: the runs themselves, the dense case, collapse of curves."""
