"""Fields of a schema that are copied from what specialists found, for an LLM that would invent them."""
