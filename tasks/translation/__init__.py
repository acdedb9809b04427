"""From a request's words to what is to be translated, and from its text to sentences and back."""
