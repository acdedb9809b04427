"""The JSON of requests and responses, as OpenAI's API has it."""
