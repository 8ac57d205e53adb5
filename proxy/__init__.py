"""Moves bytes; knows no business rule."""
