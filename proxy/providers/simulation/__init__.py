"""What the simulated provider is made of: settings, requests read, answers rendered, things remembered."""
