"""From what a client points at to what a task can look at, hear or read.

`source` says what was named and where, `loader` reads it once and within `limits`, `sniff` tells what its bytes are,
and `readers` opens it as a `document` of `pages` or as a recording. `fetch` gets what lies on the web, `decode` runs
what can crash or hang in processes of its own; `pdf`, `office`, `av`, `pictures` and `text` each know a kind of file.
"""
