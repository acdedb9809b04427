"""Training of the network that classifies the boxes of a screenshot."""
