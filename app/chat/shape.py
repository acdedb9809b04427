"""The form of the answer that the client requires, and the check of an answer against it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import ApiError, BadRequest
from app.wire.request import ChatRequest, ResponseFormat
from tasks.schema.checker import FIELD, SchemaChecker, prepared_checker
from tasks.schema.json_answer import JsonAnswer, parse_answer
from tasks.schema.keywords import CONSTRAINTS, standardised

JSON_ONLY = "Answer with one JSON object and nothing else: no code fence, no comment."
JSON_SCHEMA = "Answer with JSON and nothing else: no code fence, no comment. It must be valid against this schema:\n"
COMPLAINT = "{reason} Answer again with the corrected JSON and nothing else."


def is_open(response_format: ResponseFormat) -> bool:
    """True if the requested form says nothing about the content. The raw result of a requested task is then the answer.

    `{"type": "object", "properties": {}, "additionalProperties": false}` names no content of the answer: it is the form
    of `z.object({})`. Non-empty `properties`, `items`, `enum`, `anyOf`, `$ref` … do name content.
    """
    if response_format.type != "json_schema":
        return True
    if response_format.json_schema is None:
        return True
    return all(_permits_anything(key, value) for key, value in response_format.json_schema.schema_.items())


def _permits_anything(keyword: str, value: object) -> bool:
    if keyword not in CONSTRAINTS:
        return True
    if keyword == "type":
        return value == "object"
    if keyword == "additionalProperties":
        return isinstance(value, bool) or value == {}
    # Empty `properties` and `required` permit everything.
    return value in ({}, [], None)


class SchemaNotSatisfied(ApiError):
    """Raised if the LLM failed twice to satisfy the schema. The LLM's text is not presented as an answer."""

    code = "schema_not_satisfied"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The model's answer does not have the requested form. {reason}")


class NotVerbatim(BadRequest):
    """Raised if nothing supports a value, although the request demands support and the schema does not allow null."""

    code = "not_verbatim"

    def __init__(self, pointer: str) -> None:
        """Create the error for the field at `pointer` in the answer."""
        super().__init__(
            f"Nothing in the input supports a value for '{pointer}' ('verbatim'), and the schema does not allow "
            "it to be null: allow null there, or leave 'verbatim' out.",
            param=pointer,
        )


class NotFoundInInput(BadRequest):
    """Raised if nothing that was read answers a field, although the schema allows neither null nor an empty value."""

    code = "not_found_in_input"

    def __init__(self, pointer: str, partial: Any = None, reason: str = "") -> None:
        """Create the error for the field at `pointer` in the answer. `partial` is the answer with null for what is
        missing. `reason` is a further sentence about the schema."""
        what = f"'{pointer}'" if pointer else "what the schema demands"
        super().__init__(
            f"Nothing in the input answers {what}, and the schema allows neither null nor an empty value. Allow "
            "null there, or set OPENFAZE_LLM_BASE_URL: no language model is set up here that could write values which "
            "are not in the input word for word." + (f" {reason}" if reason else ""),
            param=pointer,
        )
        self.partial = partial


@dataclass(frozen=True, slots=True)
class Shape:
    """Required form of an answer: `json_object` or `json_schema`."""

    format: ResponseFormat
    checker: SchemaChecker | None

    @classmethod
    def of(cls, response_format: ResponseFormat | None) -> "Shape | None":
        """Return the required form, or None if any text is permitted.

        Raises InputError for a schema that cannot be checked.
        """
        if response_format is None or response_format.type == "text":
            return None
        json_schema = response_format.json_schema
        if not (json_schema and json_schema.schema_):
            return cls(response_format, None)
        return cls(response_format, prepared_checker(json_schema.schema_, FIELD))

    @classmethod
    def of_schema(cls, schema: Mapping[str, Any], field: str) -> "Shape":
        """Return the form of answers that satisfy `schema`, which is the request's `field`.

        Raises InputError for a schema that cannot be checked.
        """
        response_format = {"type": "json_schema", "json_schema": {"schema": dict(schema)}}
        return cls(ResponseFormat.model_validate(response_format), prepared_checker(schema, field))

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """JSON schema, or None if any object is permitted."""
        return None if self.checker is None or self.format.json_schema is None else self.format.json_schema.schema_

    def with_schema(self, schema: Mapping[str, Any]) -> "Shape":
        """Return this form with a different schema."""
        assert self.format.json_schema is not None
        json_schema = self.format.json_schema.model_copy(update={"schema_": dict(schema)})
        return Shape(self.format.model_copy(update={"json_schema": json_schema}), prepared_checker(schema))

    @property
    def instruction(self) -> str:
        """Instruction for the LLM. It is sent even if decoding follows the schema, because an LLM that knows the schema
        chooses better words."""
        if self.schema is None:
            return JSON_ONLY
        return JSON_SCHEMA + json.dumps(self.schema, ensure_ascii=False)

    @property
    def as_response_format(self) -> dict[str, Any]:
        """Field `response_format` for an OpenAI-compatible server."""
        json_schema = self.format.json_schema
        if self.schema is None or json_schema is None:
            return {"type": "json_object"}
        schema = {"name": json_schema.name or "answer", "schema": self.schema, "strict": bool(json_schema.strict)}
        return {"type": "json_schema", "json_schema": schema}

    def parse(self, text: str) -> JsonAnswer:
        """Return the answer in `text`.

        Raises AnswerInvalid, with a message for the LLM, and InputError for a schema that cannot be checked.
        """
        return parse_answer(text, self.checker)


def with_standard_schemas(request: ChatRequest) -> tuple[ChatRequest, list[str]]:
    """Return the request with standard schemas, and warnings about keywords in them that have no effect."""
    warnings: list[str] = []
    update: dict[str, Any] = {}
    form = request.response_format
    if form is not None and form.json_schema is not None and form.json_schema.schema_:
        schema, found = standardised(form.json_schema.schema_, "the schema")
        warnings += found
        json_schema = form.json_schema.model_copy(update={"schema_": schema})
        update["response_format"] = form.model_copy(update={"json_schema": json_schema})
    tools = []
    for tool in request.tools or ():
        parameters, found = standardised(tool.function.parameters or {}, f"the parameters of '{tool.function.name}'")
        warnings += found
        function = tool.function.model_copy(update={"parameters": parameters} if parameters else {})
        tools.append(tool.model_copy(update={"function": function}))
    return request.model_copy(update={**update, "tools": tools} if tools else update), warnings
