"""Compares two states of the code by the fields that they fill on papers which were read once.

    .venv/bin/python -m eval.replay read FOLDER… --store DIR
    .venv/bin/python -m eval.replay run FOLDER… --store DIR --out RESULT.json
    .venv/bin/python -m eval.replay compare BEFORE.json AFTER.json

Papers are those of the folders (`papers.py`), the receipts that are not trained with (`--receipts`), and the held-out
written documents of `training/extraction/written`. `read` runs the tasks that read them, and keeps the results in DIR;
`run` fills their schemas as the server does, and reads what DIR lacks. DIR also keeps what the encoder of pages and the
embedder computed, by their weights and inputs. The results of tasks do not depend on the code, so a change of the
reading itself needs a new DIR.
"""
