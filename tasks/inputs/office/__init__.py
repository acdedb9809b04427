"""Word, PowerPoint and Excel files as Markdown with their pictures, within bounds on archives and XML."""
