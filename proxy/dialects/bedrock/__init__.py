"""The dialect bedrock."""
