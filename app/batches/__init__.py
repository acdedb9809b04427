"""Batches, which are files of many requests: `store` has the records of batches, `lines` reads and runs their lines,
`runner` moves batches from one status to the next, and `webhook` reports that a batch has ended."""
