"""Fills lists of objects from records that repeat on a page, such as entries of a log or cards side by side.

A run consists of records of one form, a record consists of lines, and a line consists of pieces (`line_pieces`):
`12.03.2025 Rovers 2:1` has a date, a text and a score. `repeated_records` finds the runs of a page. `templates` groups
the pieces at the same place of all records into slots. `matches` scores how well each slot suits each field of a list,
and `assignment` chooses a slot for each field. `fillings` decides which records are items of the list, and
`record_lists` which of the runs fills it.
"""
