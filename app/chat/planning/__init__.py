"""The basis of planning: kinds of media, and phrases in several languages."""
