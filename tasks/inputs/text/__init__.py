"""Text files, HTML, and structured text that is read as it is."""
