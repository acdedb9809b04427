"""What outlives a request, behind two seams. Answers: `entries` says what a store of entries does and keeps a failing
one from hurting anybody, `sealing` is the form of a value, `sqlite_entries` and `redis_entries` are the stores. What
keys use: `counters` says what a store that counts it does, `sqlite_counters` and `redis_counters` are the stores."""
