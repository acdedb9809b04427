"""Answers that are kept and given again.

`answer_cache` is what a request meets: `keys` makes the key that equal requests share, `event_codec` writes events as
bytes. `result_cache` keeps results of tasks. For questions in other words there is `rephrased`: `known_questions` finds
those that may ask the same, `vetoes` and `questions` exclude those that do not, `verification` decides.
"""
