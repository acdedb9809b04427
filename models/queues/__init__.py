"""Queues in which keys take turns."""
