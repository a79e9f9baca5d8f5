"""What the experiments on learning dynamics share: courses over training, events, and stages."""
