"""What the tree of targets is made of: one attempt, and what is known of whom to ask."""
