"""Engines of the capability `ocr`: PP-OCR (`models.vision.ppocr`), PaddleOCR for more scripts, and PaddleOCR-VL, which
reads the lines again that PP-OCR has found."""
