"""Nodes of the target tree: which upstream answers."""
