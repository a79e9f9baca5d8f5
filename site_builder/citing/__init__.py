"""How to cite: references for figures and the report, the research object, numbers for LaTeX."""
