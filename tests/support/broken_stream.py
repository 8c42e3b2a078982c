"""A WSGI application whose answer fails half-way: what a client sees of that is gunicorn's business."""

from collections.abc import Callable, Iterator
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    del environ
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"the first half\n"
    raise RuntimeError
