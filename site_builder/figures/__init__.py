"""From a figure function to files: drawing, the data behind a drawing, its metadata and provenance."""
