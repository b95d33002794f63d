"""Cut the part of Spotify's OpenAPI document that the contract tests need.

    python -m tests.accounts.spotify.contract.cut openapi.yml

The document is fixed-spotify-open-api.yml of https://github.com/sonallux/spotify-web-api, which
LICENSE beside this file covers. What stays: the calls in PATHS, what they refer to, and of each
part everything that a test can check; descriptions, examples and what else a search finds go.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

EXCERPT = Path(__file__).parent / "spotify-openapi-excerpt.json"
PATHS = {
    "/me": ("get",),
    "/me/tracks": ("get",),
    "/me/top/tracks": ("get",),
    "/me/top/artists": ("get",),
    "/me/player/recently-played": ("get",),
    "/me/playlists": ("get", "post"),
    "/me/library": ("put", "delete"),
    "/me/library/contains": ("get",),
    "/playlists/{playlist_id}/items": ("get", "post", "delete"),
    "/search": ("get",),
    "/tracks/{id}": ("get",),
    "/tracks": ("get",),
    "/audio-features": ("get",),
}
WORDS = ("description", "example", "summary", "externalDocs", "tags", "operationId")


def cut(document: dict[str, Any]) -> dict[str, Any]:
    found = document["paths"]
    paths = {
        path: {method: _plain(found[path][method]) for method in methods}
        for path, methods in PATHS.items()
    }
    _only_tracks(document)
    components: dict[str, dict[str, Any]] = {}
    waiting = [*_references(paths)]
    while waiting:
        kind, name = waiting.pop().split("/")[2:]
        if name in components.setdefault(kind, {}):
            continue
        components[kind][name] = _plain(document["components"][kind][name])
        waiting += _references(components[kind][name])
    info = {name: document["info"][name] for name in ("title", "version", "contact")}
    return {"openapi": document["openapi"], "info": info, "paths": paths, "components": components}


def _only_tracks(document: dict[str, Any]) -> None:
    """A search finds albums, shows and more, too; Storify asks for tracks alone."""
    answer = document["components"]["responses"]["SearchItems"]["content"]["application/json"]
    properties = answer["schema"]["properties"]
    answer["schema"]["properties"] = {"tracks": properties["tracks"]}


def _plain(node: Any) -> Any:
    """Without words for people; a property may be called "description", too."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        name: value
        for name, value in node.items()
        if not (name in WORDS and not _is_schema(value)) and not name.startswith("x-")
    }
    return {name: _plain(value) for name, value in kept.items()}


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and ("type" in value or "allOf" in value)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


if __name__ == "__main__":
    loaded = yaml.load(Path(sys.argv[1]).read_text(), yaml.CSafeLoader)
    EXCERPT.write_text(json.dumps(cut(loaded), indent=1, sort_keys=True) + "\n")
