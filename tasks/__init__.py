"""The tasks that work on a request's inputs, one module per task. Each module declares its task at the end, where
`catalog` finds the declaration.

`inputs` opens the files, URLs and texts of a request, and `wording` parses the user's wishes. Each of the other
packages serves one task, like `translation` and `scrape`, or several tasks, like `layout` and `notation`.
"""
