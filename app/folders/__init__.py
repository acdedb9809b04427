"""Client of a server that makes a table of a folder of papers, and shows the table's doubtful fields to people.

A job sends one request per paper over HTTP, so that the cells of the table are answers of the API. The package knows
nothing else of openfaze, and imports nothing of it.
"""
