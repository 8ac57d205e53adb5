"""The dialect gemini."""
