"""The closed form in which conditions are written: a few values of the request, comparisons, and, or, not."""
