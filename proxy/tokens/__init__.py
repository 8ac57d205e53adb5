"""How many tokens a request has, and what has been emitted of an answer."""
