"""Resemblyzer's voice encoder: 1.6 s of speech to 256 numbers, from the weights inside the package `resemblyzer`.

That package is located, never imported: its own code needs torch, librosa and webrtcvad.
`pip install --no-deps resemblyzer`. Its constants are those of `resemblyzer/hparams.py`.
"""
