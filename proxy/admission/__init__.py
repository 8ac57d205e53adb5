"""Overload of the gateway itself: what it can still serve, who gets a share of that, and how the rest is refused."""
