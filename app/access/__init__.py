"""Access to the server: `keys` checks a request's key, `key_file` stores the keys that an operator hands out,
`admission` applies their limits, and `pacing` lets requests of competing keys begin in turn."""
