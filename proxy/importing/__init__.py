"""Files of other gateways, read and written anew. No input or output: bytes in, a text and findings out."""
