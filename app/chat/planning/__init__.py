"""Questions, and requests of chat programs, recognised by their forms in several languages."""
