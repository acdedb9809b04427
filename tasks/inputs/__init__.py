"""Opens the inputs of a request for the tasks that look at them, listen to them or read them.

`source` describes the inputs that a request names, `media_types` recognises the type of their bytes, and `loader` reads
each input once, within `limits`, and opens it as a `document` of pages or as a recording. `fetch` downloads from the
web, `decode` runs decoders that may crash or hang in separate processes, and `pdf`, `office`, `av`, `picture` and
`text` each handle a kind of file.
"""
