"""Parses a user's wishes in several languages, such as pages, target languages and search terms. Each module
understands one kind of wish in a bounded part of the text."""
