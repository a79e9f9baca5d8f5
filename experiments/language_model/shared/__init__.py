"""What the experiments on the one-layer transformer share."""
