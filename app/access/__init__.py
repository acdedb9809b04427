"""Who may call: `keys` checks a request's key, and `key_file` keeps the keys that an operator hands out."""
