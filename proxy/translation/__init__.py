"""A conversation on its way to a provider of another dialect, and its answer on the way back."""
