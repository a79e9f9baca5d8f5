"""What the experiments on the feature alarm share: the world, the detectors, rates, and what is known elsewhere."""
