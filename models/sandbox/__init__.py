"""Runs Python code from a client or an LLM in a sandbox, where it can do no harm. `bubblewrap` is the engine; `script`
defines the input and the output."""
