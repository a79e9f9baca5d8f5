"""The results of the published run: shipping them with the source, and comparing a run of this machine with them."""
