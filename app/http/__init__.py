"""What HTTP brings and takes: bodies, forms, headers, event streams, and callers who hang up."""
