"""Wire formats: what an application may call, and how its bytes are read and written."""
