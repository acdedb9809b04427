"""The HTTP parts that all routes share: bodies, forms, headers, event streams, and callers who hang up."""
