"""What a request's words ask of a task, in several languages: which pages, how far ahead, which language, what to
look for. Each module reads one kind of wish, in a bounded part of the text.
"""
