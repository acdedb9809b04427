"""The JSON schema that an answer has to satisfy: checking it in bounded time, and reading answers by it."""
