"""The tasks that work on a request's inputs, one module per task; each module declares its task at its end, where
`catalog` finds it.

`inputs` opens what a request names, `wording` parses what the user asks for, and every other package serves the task of
its name.
"""
