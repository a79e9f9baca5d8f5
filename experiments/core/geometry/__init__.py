"""What the experiments on geometry share: shapes, their recognition, their families and energies, and the census."""
