"""Contains the engines. Each group of capabilities has a folder, whose module `capability` declares them. The modules
outside these folders serve all engines.

`catalog` finds the capabilities, `runtime` chooses their engines, `host` runs an engine with a queue, `scheduler` and
`turns` determine whose work is next, and `weights` lists the files that an engine needs.
"""
