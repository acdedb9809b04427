"""Engines that embed texts. `embedder` is their interface, `minilm` and `multilingual_e5` are the engines behind it."""
