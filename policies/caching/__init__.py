"""Policies that answer again what was answered before."""
