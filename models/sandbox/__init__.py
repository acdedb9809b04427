"""Execution of Python that a client or an LLM wrote, run by `bubblewrap` where it can do no harm; `script` has the
input and the output."""
