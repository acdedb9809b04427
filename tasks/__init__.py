"""The tasks that work on a request's inputs, one module per task. Each module declares its task at the end, where
`catalog` finds the declaration.

`inputs` opens the files, URLs and texts of a request, `wording` parses the user's wishes, and each of the other
packages serves the task with the same name.
"""
