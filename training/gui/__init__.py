"""Training of the network that says what the boxes of a screenshot are."""
