"""Parts B and I of the notes on a real network: a one-layer transformer and its dictionaries."""
