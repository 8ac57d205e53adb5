"""Conversations of the Responses API that are kept here."""
