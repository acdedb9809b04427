"""The path of a chat request, from its body to its events. `pipeline` has its steps in order:

    produce (`llm_answer`, `own_answer`, or one task) → guard (`request_guard`) → cache (`answer_cache`) → count and
    charge (`call`) → encode (`render`)

`directives` and `inputs` take the request apart, an `Inquiry` of `call` carries what they found to the answer, `plan`
and `run_plan` run tasks, `trim` and `pictures` fit their results into the LLM's `prompt`, `tool_loop` lets the LLM
answer, and `structured_answers` holds its answer until it fits the schema.
"""
