"""From rendered Markdown to a checked site: the site engine, the notebook, previewing and publishing."""
