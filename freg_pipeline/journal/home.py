"""Which register a store is of: one environment, for good, at the addresses where it was asked.

Test persons never stand among real ones. That an address was met before tells an outage from a
wrong setting.
"""

from __future__ import annotations

import hashlib

import msgspec

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.store import Store, is_there, recall_record, write_record

_ENVIRONMENT_KEY = "register/environment.json"


class _Environment(msgspec.Struct, frozen=True):
    environment: str


class _Address(msgspec.Struct, frozen=True):
    base_url: str


def settle(store: Store, environment: str, base_url: str) -> None:
    """Note of which register a store is; the first one to do so decides.

    Raises:
        ConfigurationError: it is of another one.
    """
    if not is_there(store, _ENVIRONMENT_KEY):
        write_record(store, _ENVIRONMENT_KEY, _Environment(environment))
    require_home(store, environment)
    if not has_met(store, base_url):
        write_record(store, _address_key(base_url), _Address(base_url))


def require_home(store: Store, environment: str) -> None:
    """See that a store is of an environment, or of none yet.

    Raises:
        ConfigurationError: it is of another one.
    """
    if not is_there(store, _ENVIRONMENT_KEY):
        return
    there = recall_record(store, _ENVIRONMENT_KEY, _Environment).environment
    if there != environment:
        raise ConfigurationError(
            f"{store.location} holds {there}, and FREG_ENVIRONMENT says {environment}",
            "Give each environment a FREG_STORE of its own",
        )


def has_met(store: Store, base_url: str) -> bool:
    """Whether anything in the store was asked of the register at an address."""
    return is_there(store, _address_key(base_url))


def _address_key(base_url: str) -> str:
    return f"register/{hashlib.sha256(base_url.encode()).hexdigest()[:16]}.json"
