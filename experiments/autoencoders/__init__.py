"""Superposition as a phase change: which solution wins, by importance and density."""
