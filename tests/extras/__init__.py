"""What needs more than the first environment: heavy engines, LLM servers, Ray, other programs."""
