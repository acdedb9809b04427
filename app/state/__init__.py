"""What outlives a request, behind one seam: `entries` says what a store of entries does and keeps a failing one from
hurting anybody, `sealing` is the form of a value, `sqlite_entries` and `redis_entries` are the stores."""
