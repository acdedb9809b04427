"""Opens a request's inputs, so that tasks can look at them, listen to them or read them.

`source` describes the inputs that a request names, `media_types` identifies its bytes, and `loader` reads it once,
within `limits`, and opens it as a `document` of pages or as a recording. `fetch` downloads from the web, `decode` runs
decoders that may crash or hang in processes of their own, and `pdf`, `office`, `av`, `picture` and `text` each handle a
kind of file.
"""
