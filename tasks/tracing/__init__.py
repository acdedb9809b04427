"""Searches the texts that were read for the values of an answer that an LLM wrote, and says what nothing supports."""
