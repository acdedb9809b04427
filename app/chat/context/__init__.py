"""What the LLM is shown: results as text, fitted into its context, and the conversation around them."""
