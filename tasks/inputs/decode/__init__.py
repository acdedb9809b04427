"""Runs decoders in worker processes, so that a file which makes one crash or hang affects nothing else (`files`), and
limits the decoded bytes (`budget`)."""
