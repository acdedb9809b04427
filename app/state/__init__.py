"""State that outlives a request.

Durable state is in a database: `tables` describes it, `database` opens it, `migrations` brings it to the newest
revision. `responses` keeps responses there, and `usage` what keys have used.

Cached answers: `entries` has the interface of the stores and protects requests from a failing store, `sealing` defines
the stored form of a value, and `sql_entries` and `redis_entries` are the stores.

What keys use now: `counters` has the interface, and `memory_counters` and `redis_counters` are the stores.
"""
