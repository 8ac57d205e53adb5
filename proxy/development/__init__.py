"""A gateway to develop against: what this machine has, as a file."""
