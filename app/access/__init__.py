"""Access to the server: `keys` checks a request's key, `key_file` stores the keys that an operator hands out,
`admission` applies their rates and budgets, and `door` lets a bounded number of requests run, keys in turn."""
