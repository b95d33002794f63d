"""Rejects requests that are far too large for any upload before they reach the disk."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# A file that is only somewhat too large is read, so that its sender gets a helpful error. The
# largest that is taken is a history of listening, of 300 MB.
CAP_BYTES = 400 * 1024**2


class CappedUpload(FileUploadHandler):
    """Checks the announced length and leaves the data to the other handlers."""

    def handle_raw_input(
        self,
        input_data: Any,  # noqa: ARG002 - the signature is Django's
        META: dict[str, Any],  # noqa: ARG002, N803
        content_length: int,
        boundary: str,  # noqa: ARG002
        encoding: str | None = None,  # noqa: ARG002
    ) -> None:
        if content_length > CAP_BYTES:
            raise RequestDataTooBig("This upload is far too large.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:  # noqa: ARG002
        return raw_data

    def file_complete(self, file_size: int) -> None:  # noqa: ARG002
        return None
