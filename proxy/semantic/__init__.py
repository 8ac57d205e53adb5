"""Answers to questions that mean the same: what a question says, where it is kept, and how often that is right."""
