"""Many equally important features: how they share the dimensions there are."""
