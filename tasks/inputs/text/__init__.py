"""Text files and HTML, and structured text that is read unparsed."""
