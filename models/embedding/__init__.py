"""Engines that embed texts: `embedder` is their interface, and `minilm` and `multilingual_e5` are the engines."""
