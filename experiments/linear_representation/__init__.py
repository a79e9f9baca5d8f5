"""Part B of the notes: features as directions, read and selected by linear layers, and what does not fit that."""
