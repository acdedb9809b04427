"""State that outlives a request, behind two interfaces.

Entries of the cache: `entries` has the interface of the stores and protects requests from a failing store, `sealing`
defines the stored form of a value, and `sqlite_entries` and `redis_entries` are the stores.

Usage of keys: `counters` has the interface, and `sqlite_counters` and `redis_counters` are the stores.
"""
