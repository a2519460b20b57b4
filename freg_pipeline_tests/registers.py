"""Questions to a running synthetic register that no real one answers."""

from __future__ import annotations

from typing import Any

import httpx


def status_of(base_url: str) -> dict[str, Any]:
    """What the register has counted: requests by service, orders, faults."""
    root = base_url.split("/folkeregisteret/")[0]
    answer = httpx.get(f"{root}/_synthetic/status", trust_env=False)
    answer.raise_for_status()
    status: dict[str, Any] = answer.json()
    return status
