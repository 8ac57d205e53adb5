"""What guardrails are made of: where text stands, what is found in it, what is held back, what is done about it."""
