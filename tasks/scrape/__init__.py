"""Web pages as text and as records: fetched as a file (`page_file`) or by a `browser`, then read for what they are
about."""
