"""Learning dynamics: how solutions evolve over training, how suddenly, and in which order."""
