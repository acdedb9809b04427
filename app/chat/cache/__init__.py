"""Cache of answers.

Requests go through `answer_cache`. `keys` makes the key that equal requests share, and `event_codec` writes events as
bytes. `result_cache` keeps results of tasks.
"""
