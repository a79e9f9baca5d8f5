"""From Markdown with macros to Markdown: the words of the pages, filled from results and checked."""
