"""Correlated and anticorrelated features: who is opposed to whom, who is merged, and where principal components win."""
