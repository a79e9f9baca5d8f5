"""What makes life hard for a report: `make torture` runs the campaign, `make test` a few of its parts."""
