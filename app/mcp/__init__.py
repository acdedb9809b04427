"""The Model Context Protocol: each task is a tool, and `extract` fills a schema.

`tools` says what a tool takes and gives, and puts a call as the chat request that it is; `server` answers the protocol
by it; `mount` serves that at `/mcp`, and `openfaze mcp` on standard input and output.
"""
