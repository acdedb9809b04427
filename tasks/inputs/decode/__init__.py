"""Runs decoders in separate processes and threads, so that a file which makes one crash or hang affects nothing else.

`lane` assigns files to processes, each of which runs `worker` at the other end of a `channel`. `threads` decode
harmless files in this process, and `budget` limits the decoded bytes.
"""
