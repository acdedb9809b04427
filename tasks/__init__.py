"""The tasks that work on a request's inputs, one module per task; each module declares its task at its end, where
`catalog` finds it.

`inputs` opens the files, URLs and texts of a request, `wording` parses the user's wishes, and each of the other
packages serves the task with the same name.
"""
