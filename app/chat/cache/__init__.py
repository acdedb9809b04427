"""Cache of answers.

A request meets `answer_cache`. `keys` makes the key that equal requests share, and `event_codec` writes events as
bytes. `result_cache` keeps results of tasks.

For questions in other words there is `rephrased`: `known_questions` finds questions that may ask the same, `vetoes` and
`questions` exclude questions that do not, and `verification` decides.
"""
