"""State that outlives a request, behind two interfaces.

Entries, which are cached answers and stored responses: `entries` has the interface of the stores and protects requests
from a failing store, `sealing` defines the stored form of a value, and `sqlite_entries` and `redis_entries` are the
stores. `responses` keeps responses in one of these stores.

Usage of keys: `counters` has the interface, and `sqlite_counters` and `redis_counters` are the stores.

`sqlite_file` opens the files of the SQLite stores.
"""
