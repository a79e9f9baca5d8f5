"""What the basic results share: training over densities with unequal importance, drawings, terms of the loss."""
