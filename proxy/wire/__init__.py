"""What is said to providers and services, and heard from them: bytes, events, sockets."""
