"""Engines that embed texts: `embedder` is the seam, `minilm` and `multilingual_e5` are the engines behind it."""
