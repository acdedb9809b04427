"""The paths of the server, a module for each group: what they have in common about bodies and streams is in `body`."""
