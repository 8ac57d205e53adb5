"""What would happen, with nothing sent: explained, played from cases, and played again from the past."""
