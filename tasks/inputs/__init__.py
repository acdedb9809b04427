"""From what a client points at to what a task can look at, hear or read.

`source` says what was named and where, `media_types` tells what its bytes are, and `loader` reads it once, within
`limits`, and opens it as a `document` of pages or as a recording. `fetch` gets what lies on the web, `decode` runs what
can crash or hang in processes of its own; `pdf`, `office`, `av`, `picture` and `text` each know a kind of file."""
