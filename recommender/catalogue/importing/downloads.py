"""Download a catalogue file from an https address."""

from __future__ import annotations

from pathlib import Path

import httpx

from recommender.errors import ImportFailedError

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_MAX_REDIRECTS = 5


def download(url: str, path: Path, transport: httpx.BaseTransport | None, max_bytes: int) -> None:
    """Follow only https redirects, and stop as soon as the file is too large."""
    client = httpx.Client(transport=transport, timeout=TIMEOUT)
    try:
        with client:
            for _ in range(_MAX_REDIRECTS):
                if not url.startswith("https://"):
                    raise ImportFailedError("Only https addresses are supported.")
                with client.stream("GET", url) as response:
                    if response.has_redirect_location:
                        url = str(response.url.join(response.headers["Location"]))
                        continue
                    response.raise_for_status()
                    return _save(response, path, max_bytes)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise ImportFailedError(f"The address answered with status {status}.") from error
    except httpx.HTTPError as error:
        raise ImportFailedError(
            f"The address could not be read ({type(error).__name__})."
        ) from error
    raise ImportFailedError("The address redirects too often.")


def _save(response: httpx.Response, path: Path, max_bytes: int) -> None:
    received = 0
    with path.open("wb") as out:
        for piece in response.iter_bytes():
            received += len(piece)
            if received > max_bytes:
                raise ImportFailedError(f"The file is larger than {max_bytes // 1024**2} MB.")
            out.write(piece)
