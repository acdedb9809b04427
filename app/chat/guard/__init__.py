"""Guards a request: judges its texts, the results of its tasks and its answer, and redacts personal data."""
