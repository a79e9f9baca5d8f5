"""Plain files that hold results: how values become files, where they lie, and what is recorded beside them."""
