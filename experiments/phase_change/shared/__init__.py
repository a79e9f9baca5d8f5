"""What the two phase diagrams share: phases, the sweep, what it finds, and its drawings."""
