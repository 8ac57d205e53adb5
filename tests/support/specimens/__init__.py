"""Personal data and secrets made up by the dozen, and what only looks like them."""
