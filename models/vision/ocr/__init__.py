"""Engines of the capability `ocr`: PP-OCR (`models.vision.ppocr`), PaddleOCR for more scripts, and PaddleOCR-VL, which
reads again the lines that PP-OCR has found."""
