"""The dialect openai_responses."""
