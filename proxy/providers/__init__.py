"""Upstream accounts, one module a kind: address, credentials, signing, and what its errors mean."""
