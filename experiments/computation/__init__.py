"""Part F of the notes: computing with features that are in superposition."""
