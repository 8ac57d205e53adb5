"""Policies that look at what is said: what may be asked, and what may be answered."""
