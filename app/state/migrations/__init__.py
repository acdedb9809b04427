"""The steps that make the tables of the database, run by alembic when a server uses the database for the first time.

A new step is a file in `versions`, and `HEAD` in `app/state/database.py` names it.
"""
