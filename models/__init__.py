"""Engines: a folder for each group of capabilities, which its `capability` declares, and beside the folders what drives
all.

`catalog` finds the capabilities, `runtime` chooses their engines, `host` runs one behind a queue, `scheduler` and
`turns` say whose work is next, and `weights` fetches what an engine needs.
"""
