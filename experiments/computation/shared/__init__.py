"""What the experiments on computing in superposition share."""
