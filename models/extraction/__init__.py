"""Network that scores spans of a text as values of a schema's fields."""
