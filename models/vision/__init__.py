"""Engines that see: text (`ppocr`, `paddle`), objects (`detection`) and the elements of user interfaces (`gui`)."""
