"""Part A of the notes: the reader's own two runs, debugged, repeated over seeds and explained."""
