"""Decides; one file a policy, grouped as a reader thinks of them."""
