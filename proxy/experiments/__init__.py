"""Experiments: traffic is divided, what comes of it is counted, and a report says what may be concluded."""
