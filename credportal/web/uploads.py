"""No page of the portal takes a file."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile


class RefuseUploads(FileUploadHandler):
    """Skips every uploaded file, so that none is ever held or written."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 -- the base class names them.
        """Skip this file."""
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Drop the data."""

    def file_complete(self, file_size: int) -> None:
        """Keep nothing."""
