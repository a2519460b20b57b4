"""Registers for tests: what the synthetic one has counted, and answers made up for one test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp


def status_of(base_url: str) -> dict[str, Any]:
    """What the register has counted: requests by service, orders, faults."""
    root = base_url.split("/folkeregisteret/")[0]
    answer = httpx.get(f"{root}/_synthetic/status", trust_env=False)
    answer.raise_for_status()
    status: dict[str, Any] = answer.json()
    return status


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application of a test's own; yields its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
