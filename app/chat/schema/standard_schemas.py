"""Writes the schemas of a request as JSON Schema has them: that of the answer, and those of the tools' parameters."""

from typing import Any

from app.wire.request import ChatRequest
from tasks.schema.keywords import standardised


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
