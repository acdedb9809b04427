"""PP-OCR text detection and recognition on OpenVINO or onnxruntime, from plain ONNX files.

`detector.TextDetector` finds the lines of a picture, `recognizer.LineRecognizer` reads them, and `reader.PpOcrReader`
combines both. The package `rapidocr` contains the embedded weights (PP-OCRv6 small, Apache-2.0).

The embedded recogniser reads Chinese, Japanese, English and 46 more languages in Latin script. It has no Korean,
Cyrillic, Arabic, Hebrew, Thai or Indic letters: a line in such a script mostly yields nothing, or a few similar letters
of low probability, and is left out like all lines below the reader's least confidence. Hebrew is an exception: it is
read as Latin letters with high confidence. Of Greek, the recogniser reads the letters of formulas: small letters
without accents. Greek capitals are read as the Latin letters that look the same.
"""
