"""What the experiments on mixtures of experts share."""
