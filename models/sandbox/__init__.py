"""Python that a client or an LLM wrote, run by `bubblewrap` where it can do no harm: `script` is what goes in and comes
out."""
