"""Detects user interface elements in a screenshot.

The steps are: propose boxes around everything that differs from its surroundings (`regions`, `text_pieces`), describe
each box by numbers (`features`), and classify it by a small network and keep the best of overlapping boxes (`engine`).
"""
