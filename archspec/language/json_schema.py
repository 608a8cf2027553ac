"""The language as JSON Schema: what pydantic says of the models, and the short forms that the models take in text."""

from typing import Any

from archspec import ops
from archspec.language.document import Document
from archspec.language.values import LABEL_SCHEMA, LABELS_SCHEMA, NAME_SCHEMA

_VALUE = {
    "description": "a number, a word or an expression, or a list of them",
    "anyOf": [
        {"type": ["integer", "number", "string", "boolean"]},
        {"type": "array", "items": {"type": ["integer", "number", "string", "boolean"]}},
    ],
}


def document_schema() -> dict[str, Any]:
    """The JSON Schema of a specification, draft 2020-12, as editors take it."""
    schema = Document.model_json_schema(by_alias=True)
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "a name of the zoo or a path: the specification that this one differs from",
    }
    parts = schema["$defs"]
    parts["Call"] = _call()
    parts["Join"] = _join()
    parts["TableColumn"] = {
        "description": "a column's name, or its name and what is done to its number",
        "anyOf": [
            NAME_SCHEMA,
            {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": _VALUE},
        ],
    }
    body = parts["Group"]["properties"]["body"]
    step = body["items"]
    parts["Step"] = {"anyOf": step.get("oneOf") or step["anyOf"]}
    parts["Body"] = {
        "description": "steps, one after the other; one step alone needs no list",
        "anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Step"}}, {"$ref": "#/$defs/Step"}],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archspec specification",
        **_shared({key: value for key, value in schema.items() if key not in {"title", "required"}}, step),
        "required": ["archspec", "name"],
        "anyOf": [
            {"required": ["input", "network"]},
            {"required": ["inputs", "network"]},
            {"required": ["extends"]},
        ],
    }


def _shared(schema: Any, step: Any) -> Any:
    """The schema with every list of steps as a reference to the one definition of a body."""
    if isinstance(schema, list):
        return [_shared(part, step) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "array" and schema.get("items") == step:
        return {"$ref": "#/$defs/Body"}
    return {key: _shared(value, step) for key, value in schema.items()}


def _call() -> dict[str, Any]:
    """An operator or a block: its name alone, or its name and arguments."""
    operators = {name: _arguments(name) for name in ops.names() if ops.operator(name).arity == "one"}
    beside = {
        "as": {**NAME_SCHEMA, "description": "what its result is called"},
        "from": {**LABELS_SCHEMA, "description": "the value, or the values, that it takes in place of what flows"},
        "share": {**LABEL_SCHEMA, "description": "the step whose weights are its weights, too"},
    }
    return {
        "description": "an operator or a block, with its arguments",
        "anyOf": [
            {"type": "string", "anyOf": [{"enum": list(operators)}, NAME_SCHEMA]},
            {
                "type": "object",
                "properties": {**operators, **beside},
                "additionalProperties": {"type": ["object", "null"], "additionalProperties": _VALUE},
                "minProperties": 1,
                "maxProperties": 1 + len(beside),
            },
            {
                "type": "object",
                "description": "an operator of several inputs, with the names of those",
                "properties": {**{name: _arguments(name) for name in ops.joins()}, **beside},
                "required": ["from"],
                "minProperties": 2,
                "maxProperties": 1 + len(beside),
                "additionalProperties": False,
            },
        ],
    }


def _join() -> dict[str, Any]:
    """Branches under the name of the operator that joins them, its arguments beside them."""
    body = {"$ref": "#/$defs/Body"}
    branches = {"anyOf": [{"type": "array", "items": body}, {"type": "object", "additionalProperties": body}]}
    label = {**NAME_SCHEMA, "description": "what the result is called"}
    return {
        "description": "branches from one value, joined by an operator of several inputs",
        "anyOf": [
            {
                "type": "object",
                "description": _arguments(name)["description"],
                "properties": {name: branches, **_arguments(name)["properties"], "as": label},
                "required": [name, *_arguments(name)["required"]],
                "additionalProperties": False,
            }
            for name in ops.joins()
        ],
    }


def _arguments(name: str) -> dict[str, Any]:
    cls = ops.operator(name)
    return {
        "type": ["object", "null"],
        "description": (cls.__doc__ or "").split("\n\n")[0],
        "properties": {field: _field(info) for field, info in cls.model_fields.items()},
        "required": [field for field, info in cls.model_fields.items() if info.is_required()],
        "additionalProperties": False,
    }


def _field(info: Any) -> dict[str, Any]:
    default = info.default if isinstance(info.default, (bool, int, float, str)) else str(info.default)
    return _VALUE if info.is_required() or info.default is None else {**_VALUE, "default": default}
