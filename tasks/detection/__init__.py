"""What a request for objects asks for, and how its answer is put together."""
