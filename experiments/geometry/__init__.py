"""The geometry of superposition: which shapes features form, and what bends or breaks them."""
