"""Prefixes of conversations: what of a prompt an account may still have in its cache, and for how long."""
