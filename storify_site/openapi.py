"""What drf-spectacular can't know of the API by itself."""

from typing import Any

from accounts.web.problem_details import MEDIA_TYPE

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "what went wrong, in words"},
        "code": {"type": "string", "description": "the same for programs"},
        "errors": {"description": "of each field that cannot be used, why"},
        "retry_after": {"type": "integer", "description": "in seconds"},
    },
    "required": ["type", "title", "status"],
}


def document_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of every operation that what it answers otherwise is a problem."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = {"description": "a problem", "content": content}
    return result
