"""Parts of HTTP that all routes share: bodies, forms, headers, event streams, and the end of work when a caller hangs
up."""
