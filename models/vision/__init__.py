"""Engines for pictures: recognition of text (`ocr`, `ppocr`), of objects (`detection`) and of the elements of user
interfaces (`gui`)."""
