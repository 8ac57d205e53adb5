"""Cassettes: requests and the answers to them, in files that can be read, kept in git, and played again."""
