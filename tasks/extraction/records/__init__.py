"""Fills lists of objects from records that repeat on a page, such as entries of a log or cards side by side.

A run consists of records of one form, a record consists of lines, and a line consists of pieces (`pieces`):
`12.03.2025 Oak lamp 40.00 EUR` has a date, a text and an amount. `repetition` finds the runs of a page. `columns` puts
the pieces at the same place of all records into columns. `fields` scores how well each column suits each field of a
list. `record_lists` chooses the columns, decides which records are items, and which of the runs fills a list.
"""
