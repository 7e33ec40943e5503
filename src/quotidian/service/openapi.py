"""What the services say of themselves: OpenAPI with the schemas of msgspec's structs."""

from typing import Any, Final

import msgspec
from fastapi import FastAPI

_REF: Final = "#/components/schemas/{name}"
_COMPONENTS: Final = "x-components"

#: The one shape of errors, as a schema.
ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["kind", "what", "remedy"],
            "properties": {name: {"type": "string"} for name in ("kind", "what", "remedy")},
        }
    },
}


def speaks(
    *, takes: Any = None, gives: Any = None, example: Any = None, answered: Any = None, status: int = 200
) -> dict[str, Any]:
    """Describe a route's bodies, for its ``openapi_extra``.

    Parameters
    ----------
    takes, gives
        The types of the request's and the answer's body, as msgspec knows them; several make a choice.
    example, answered
        An example of each.
    status
        The answer's status.
    """
    described: dict[str, Any] = {_COMPONENTS: {}}
    if takes is not None:
        schema = _schema(takes, described[_COMPONENTS])
        described["requestBody"] = {"required": True, "content": _content(schema, example)}
    if gives is not None:
        schema = _schema(gives, described[_COMPONENTS])
        described["responses"] = {str(status): {"description": "Done", "content": _content(schema, answered)}}
    return described


def _schema(kinds: Any, components: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of a type, or of a choice of types, and add what it refers to."""
    choice = kinds if isinstance(kinds, tuple) else (kinds,)
    schemas, found = msgspec.json.schema_components(choice, ref_template=_REF)
    components.update(found)
    return schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}


def _content(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    told = {} if example is None else {"example": msgspec.to_builtins(example)}
    return {"application/json": {"schema": schema, **told}}


def describe(app: FastAPI) -> dict[str, Any]:
    """Give an application's OpenAPI document, with the structs among its components."""
    document = app.openapi()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"] = ERROR
    failed = {"description": "An error", "content": _content({"$ref": _REF.format(name="Error")}, None)}
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            schemas.update(operation.pop(_COMPONENTS, {}))
            operation["responses"].pop("422", None)
            operation["responses"]["4XX"] = operation["responses"]["5XX"] = failed
    return document
