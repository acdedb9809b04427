"""Which piece of what was read answers a field: a network that scores spans."""
