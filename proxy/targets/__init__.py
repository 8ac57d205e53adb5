"""The tree of targets at work: attempts, and what a request needs of whom it asks."""
