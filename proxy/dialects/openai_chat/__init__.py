"""The dialect openai_chat."""
