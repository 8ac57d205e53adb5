"""The dialect anthropic_messages."""
