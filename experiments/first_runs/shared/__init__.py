"""What the experiments of the reader's own runs share: the dense case, causes' shares, islands, counts."""
