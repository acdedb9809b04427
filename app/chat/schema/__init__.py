"""JSON schemas that answers have to satisfy: answers are checked in bounded time, and parsed by their schema."""
