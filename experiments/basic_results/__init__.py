"""The paper's basic results: what is represented at which density, and the loss term by term."""
