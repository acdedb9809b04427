"""Reading a user's wishes in several languages: which pages, which language, what to search for. Each module
understands one kind of wish in a bounded part of the text."""
