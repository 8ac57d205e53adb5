"""Requests that are answered later: accepted with 202, kept in SQLite, run through the gateway, fetched by their id."""
