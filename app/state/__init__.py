"""State that outlives a request, behind two interfaces.

Entries of the cache: `entries` has the interface of their stores and the protection of requests from a failing store,
`sealing` has the stored form of a value, `sqlite_entries` and `redis_entries` are the stores.
Usage of keys: `counters` has the interface, `sqlite_counters` and `redis_counters` are the stores."""
