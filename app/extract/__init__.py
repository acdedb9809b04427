"""A folder of papers becomes a table: its sources, its schema, the answers as they come, and the files of the tables.

A job asks an openfaze server over HTTP, one request a paper, so that the cells of the table are the API's answers.
"""
