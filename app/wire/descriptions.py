"""Adds descriptions of fields to JSON Schemas, taken from the docstrings below the fields."""

import ast
import functools
import inspect
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel


def docstrings_of(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstrings of a model's fields, read from the source on demand. Pydantic's `use_attribute_docstrings`
    would take a tenth of the time that the server needs to start."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _docstrings_in(one.__module__)[one.__qualname__]
    return found


@functools.cache
def _docstrings_in(module: str) -> dict[str, dict[str, str]]:
    """Return the docstrings of fields by class, for a whole module at once, because `inspect` would parse the file for
    each class again."""
    found: dict[str, dict[str, str]] = {}
    todo: list[tuple[str, ast.AST]] = [("", ast.parse(inspect.getsource(sys.modules[module])))]
    while todo:
        prefix, outer = todo.pop()
        for node in ast.iter_child_nodes(outer):
            if isinstance(node, ast.ClassDef):
                found[prefix + node.name] = dict(_below_fields(node))
                todo.append((f"{prefix}{node.name}.", node))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                todo.append((f"{prefix}{node.name}.<locals>.", node))
            elif isinstance(node, ast.stmt):
                todo.append((prefix, node))
    return found


def _below_fields(definition: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(definition.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


def describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Add the docstrings of fields to a JSON Schema as descriptions. Models use it as `json_schema_extra`."""
    described = docstrings_of(model)
    for name, field in schema.get("properties", {}).items():
        if name in described:
            field["description"] = described[name]
