"""Serves the Model Context Protocol: each task is a tool, and `extract` fills a schema.

`tools` declares the arguments and results of tools, and turns a call into a chat request; `server` speaks the protocol;
`mount` serves it at `/mcp`, and `openfaze mcp` on standard input and output.
"""
