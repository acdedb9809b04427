"""Assembly: builds the parts of a server."""
