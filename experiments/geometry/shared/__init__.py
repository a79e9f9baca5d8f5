"""What the experiments on geometry share: branches, hulls, perturbations, and the census with its figures."""
