"""Detection of user interface elements in a screenshot.

Boxes are proposed around everything set off from its surroundings (`regions`, `lettering`), each is described by
numbers (`features`), a small network classifies it, and of boxes that overlap the best one stays (`engine`).
"""
