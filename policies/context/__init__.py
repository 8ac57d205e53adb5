"""What is known about a request, and which headers travel."""
