"""Answers through those who must see their text as it flows."""
