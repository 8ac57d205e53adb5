"""Limits: how they are written, and how they are counted."""
