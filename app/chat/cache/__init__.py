"""Cache of answers.

Requests go through `answer_cache`. `keys` makes the key that equal requests share, and `event_codec` writes events as
bytes. `result_cache` keeps results of tasks.

`rephrased` recognises questions that were asked before in other words: `known_questions` stores and finds similar
questions, `vetoes` and `questions` exclude questions that ask something else, and `verification` decides whether a
cached answer is returned.
"""
