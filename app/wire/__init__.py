"""The JSON of requests and responses, in the form of OpenAI's API."""
