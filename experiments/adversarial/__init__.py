"""Adversarial interference: the entries beside the one, and inputs on which they add up."""
