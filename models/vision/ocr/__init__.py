"""The `ocr` capability: PP-OCR (`models.vision.ppocr`), PaddleOCR for more scripts, and PaddleOCR-VL, which reads lines
again that PP-OCR has found."""
