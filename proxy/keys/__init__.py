"""Keys that are issued while the gateway runs: kept in one SQLite file, every change of them in an audit chain."""
