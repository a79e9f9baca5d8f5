"""How fast the trainer is, drawn from a committed measurement."""
