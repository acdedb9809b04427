"""Answers that are kept and given again.

`recall` is what a request meets; `scope` says what makes two requests the same, `recorded` writes events as bytes,
`readings` keeps what specialists read of a file. For other words there is `rephrased`: `vetoes` and `questions` read
what two questions say, `known_questions` finds those that may say the same, `verified` decides.
"""
