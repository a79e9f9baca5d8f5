"""Part H of the notes: mixtures of experts, and whether routing makes superposition unnecessary."""
