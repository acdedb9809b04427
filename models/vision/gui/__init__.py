"""Detects user interface elements in a screenshot.

The steps are: propose boxes around everything that differs from its surroundings (`regions`, `text_pieces`), describe
each box by numbers (`features`), classify it by a small network (`network`), and keep the best of overlapping boxes
(`selection`). `engine` combines them.
"""
