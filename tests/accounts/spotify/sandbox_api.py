"""Client of the sandbox's Web API."""

import json
from typing import Any

from django.test import Client

from accounts.spotify.sandbox import memory
from accounts.spotify.scopes import Purpose, needed_for

SCOPE = " ".join(needed_for(Purpose))


class Api:
    """The Web API with a listener's token."""

    def __init__(self, listener: str = "mira", scope: str = SCOPE) -> None:
        self.client = Client()
        self.bearer = memory.keep_access(memory.Permission(listener, scope))

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        return self.client.generic(
            method,
            f"/sandbox/api/v1{path}",
            data=b"" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"authorization": f"Bearer {self.bearer}"},
        )
