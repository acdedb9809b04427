"""Understanding a request for objects, and searching pictures for them."""
