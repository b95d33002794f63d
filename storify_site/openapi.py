"""Additions to the OpenAPI schema that drf-spectacular can't infer."""

from typing import Any

from accounts.web.problem_details import MEDIA_TYPE

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "what went wrong, for people"},
        "code": {"type": "string", "description": "what went wrong, for programs"},
        "errors": {"description": "why each invalid field was rejected"},
        "retry_after": {"type": "integer", "description": "seconds to wait before trying again"},
    },
    "required": ["type", "title", "status"],
}


def document_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Document problem details as the default response of every operation."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = {"description": "a problem", "content": content}
    return result
