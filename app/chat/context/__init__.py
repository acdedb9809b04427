"""Messages shown to the LLM: results as text, fitted into its context, and the conversation around them."""
