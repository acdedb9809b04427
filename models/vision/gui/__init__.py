"""Finding the elements of a user interface in a screenshot.

Boxes are proposed wherever something is set off from its surroundings (`regions`, `lettering`), each is described by
numbers (`features`), a small network says what each is, and of those that overlap the best stays (`engine`).
"""
