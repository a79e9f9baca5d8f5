"""Expected losses and their minima: exact for small models, on one common large sample for all others."""
