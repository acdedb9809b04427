"""What a server shows to the outside: HTTP in `routes` and `wire`, tools for agents in `mcp`, the command in `cli`, and
a chat request's way in `chat`.

`settings` hold every knob, `building` and `services` put the parts together, and `main` makes the application of them.
"""
