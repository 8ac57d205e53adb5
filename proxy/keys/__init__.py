"""Keys that are issued while the gateway runs, and the record of who changed what."""
