"""Turns a folder of papers into a table. The modules handle the sources, the schema, the answers as they arrive, and
the files of the table.

A job sends one request per paper to an openfaze server over HTTP, so that the cells of the table are answers of the
API.
"""
