"""Builds the messages for the LLM: results as text, fitted into its context, and the conversation around them."""
