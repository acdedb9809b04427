"""Requests by the file: `store` has what is known of each batch, `lines` reads and runs its lines, `gaps` says when,
`runner` takes batches from one state to the next, `webhook` says when one has ended."""
