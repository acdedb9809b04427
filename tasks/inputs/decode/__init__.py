"""Decoders in processes and threads of their own: a file that crashes or hangs one costs nothing else.

`lane` gives files a process, which runs `worker` at the other end of a `channel`; `threads` open what is harmless here,
and `budget` bounds what is decoded.
"""
