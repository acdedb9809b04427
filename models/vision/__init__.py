"""Engines that see: text (`ocr`, `ppocr`), objects (`detection`) and the elements of user interfaces (`gui`)."""
