"""What can be done with an input: a module a task, which declares it at its end for `catalog` to find.

`inputs` opens what a request names, `wording` reads what it asks for, and the other packages each serve the task of
their name.
"""
