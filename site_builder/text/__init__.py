"""Words and formulas: Markdown, LaTeX and plain text, numbers filled into sentences, formulas as MathML."""
