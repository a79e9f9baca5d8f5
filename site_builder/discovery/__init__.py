"""Which experiments there are."""
