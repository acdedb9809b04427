"""A chat request from its body to its events: `pipeline` reads from top to bottom what happens.

`directives` and `inputs` take it apart, `guard` judges it, `plan` and `plan_executor` ask specialists, `context` shows
the LLM what they found, `tool_loop` lets it answer within the `schema`, and `render` makes an answer or a stream of it.
"""
