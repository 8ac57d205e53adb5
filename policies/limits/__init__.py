"""Policies that bound what is asked, and let the rest wait."""
