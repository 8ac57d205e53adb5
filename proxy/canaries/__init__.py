"""Canaries: what is known of both sides, when that is enough to say that the new one is worse, and what follows."""
