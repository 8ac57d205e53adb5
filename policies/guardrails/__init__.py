"""Guardrails: what may be said to models, and what they may say."""
