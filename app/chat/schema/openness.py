"""Whether a response format constrains the answer at all."""

from app.wire.request import ResponseFormat

_SAY_NOTHING = {"$schema", "$id", "$comment", "title", "description", "default", "examples"}


def is_open(response_format: ResponseFormat | None) -> bool:
    """True when any JSON would do: then a run task answers alone, and its raw result is what comes back.

    `{"type": "object", "properties": {}, "additionalProperties": false}` names nothing that the answer should have: it
    is what `z.object({})` becomes. `properties`, `items`, `enum`, `anyOf`, `$ref` … with something in them do.
    """
    if response_format is None or response_format.type != "json_schema":
        return True
    if response_format.json_schema is None:
        return True
    return all(_says_nothing(key, value) for key, value in response_format.json_schema.schema_.items())


def _says_nothing(keyword: str, value: object) -> bool:
    if keyword in _SAY_NOTHING:
        return True
    if keyword == "type":
        return value == "object"
    if keyword == "additionalProperties":
        return isinstance(value, bool) or value == {}
    # Empty `properties`, `required`, `$defs` … leave everything allowed.
    return value in ({}, [], None)
