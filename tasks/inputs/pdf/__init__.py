"""PDF files through PDFium: the `document`, its text layer with places, and what only shows in its picture."""
