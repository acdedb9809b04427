"""Assembly: the parts of a server are built and put together here."""
