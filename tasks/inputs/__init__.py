"""Opening a request's inputs for tasks to look at, hear or read.

`source` describes what the request names, `media_types` identifies its bytes, and `loader` reads it once, within
`limits`, and opens it as a `document` of pages or as a recording. `fetch` downloads from the web, `decode` runs
decoders that may crash or hang in processes of their own, and `pdf`, `office`, `av`, `picture` and `text` each handle a
kind of file.
"""
