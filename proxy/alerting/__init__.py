"""What operators are told of, and how it reaches them."""
