"""What helps while an application is being written and tested."""
