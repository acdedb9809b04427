"""JSON schemas and the answers that have to satisfy them, checked in bounded time."""
