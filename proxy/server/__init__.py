"""The listening side: strict framing, deadlines and sizes on uvicorn's protocol, bounded drain, worker processes."""
