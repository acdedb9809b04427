"""Labelled messages, and the fit of the model that says what a message wishes."""
