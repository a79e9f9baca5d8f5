"""What the experiments on correlated features share: couplings, training under them, and strategies."""
