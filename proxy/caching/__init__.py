"""Answers that are given again: what they are found by, what may be kept, and where."""
