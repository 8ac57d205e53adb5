"""Policies for whoever builds something on the gateway: not for production."""
