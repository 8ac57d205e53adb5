"""Money: what requests cost."""
