"""Reads PDF files through PDFium: the `document`, its text layer with places, and the content that only its picture
shows."""
