"""The dialect openai_responses: requests, answers, streams and their state."""
