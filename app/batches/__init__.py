"""Batches, which are files of many requests: `store` has the records of batches, `lines` reads and runs their lines,
`line_slots` determines when lines may run, `runner` moves batches from one status to the next, and `webhook` reports
that a batch has ended."""
