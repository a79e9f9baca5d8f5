"""Who does the work of a report: this process, several processes of this machine, or the workers of a cluster."""
