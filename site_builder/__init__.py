"""Runs the experiments, draws their figures and builds the site. It imports `experiments`, never the reverse."""
