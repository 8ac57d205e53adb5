"""What can be switched off: policies and targets, by the file, for a share of callers, and while the gateway runs."""
