"""PP-OCR text detection and recognition on OpenVINO or onnxruntime, from plain ONNX files.

`detector.TextDetector` finds the lines of a picture, `recognizer.LineRecognizer` reads them, `reader.PpOcrReader`
puts both together. The embedded weights (PP-OCRv6 small, Apache-2.0) come inside the `rapidocr` package.

The embedded recogniser reads Chinese, Japanese, English and 46 more languages in Latin script. It knows no Korean,
Cyrillic, Arabic, Hebrew, Thai or Indic letters: a line in such a script reads as nothing or as a few lookalikes of
low probability, and is left out like everything below the reader's least confidence. Greek it knows from formulas:
letters without their accents, capitals as the Latin ones that look the same.
"""
