"""What the experiments on many equal features share: the sweep, peaks, plateaus, components and bricks."""
