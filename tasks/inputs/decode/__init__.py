"""Decoders in processes and threads of their own, so that a file which crashes or hangs one affects nothing else.

`lane` gives files a process, which runs `worker` at the other end of a `channel`; `threads` decode harmless files in
this process, and `budget` bounds the decoded bytes.
"""
