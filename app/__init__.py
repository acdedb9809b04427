"""The server's outer layer: HTTP in `routes` and `wire`, tools for agents in `mcp`, the command in `cli`, and the path
of a chat request in `chat`.

`settings` declares every setting, `building` and `services` put the parts together, and `main` makes the application
from them.
"""
