"""Results of experiments: loaded from the store, or computed and put there; and what is said of one that fails."""
