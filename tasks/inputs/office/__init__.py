"""Word, PowerPoint and Excel files as Markdown with their pictures, and the bounds on archives and XML."""
