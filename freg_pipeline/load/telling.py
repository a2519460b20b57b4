"""What goes wrong with a destination, in one line, without what it quotes."""

from __future__ import annotations

import binascii
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.load.destination import Destination


class DestinationError(FregError):
    """A destination can't be reached, or doesn't do what it is asked."""


_UNREACHED = "DestinationConnectionError"
# What drivers call it if a server ends, or the way to it does; and SQL's codes of that.
_GONE = {"OperationalError", "InterfaceError", "AdminShutdown", "CrashShutdown", "CannotConnectNow"}
_GONE_CODES = {"08", "57", "00"}
_DAMAGED = (zlib.error, binascii.Error, json.JSONDecodeError)  # dlt packs what it keeps
_AGAIN = "run the same command again: it goes on from where it stands"


@contextmanager
def in_one_line(destination: Destination, *, reached: bool = True) -> Iterator[None]:
    """Tell what dlt raises as what it is.

    Args:
        destination: with what it works.
        reached: whether it is known to answer.

    Raises:
        ConfigurationError: dlt's settings are wrong, or it lacks a library.
        DestinationError: the destination can't be reached or written, or refuses something.
        FregError: what is foreseen elsewhere, a full disk, say; or what was raised as one.
    """
    try:
        yield
    except FregError:
        raise
    except Exception as error:
        raise _told(error, destination, reached=reached) from None


def _told(error: Exception, destination: Destination, *, reached: bool) -> FregError:
    known = foreseen(error)
    if known is not None:
        return known
    chain = [*_chain(error)]
    wrong = _of_settings(chain, destination)
    if wrong is not None:
        return wrong
    last = chain[-1]
    if isinstance(last, _DAMAGED):
        return DestinationError(
            f"{destination} keeps the copy's state in _dlt_pipeline_state and _dlt_version, and "
            f"what is there is damaged ({type(last).__name__})",
            "Restore them from a backup, or make the copy anew: name another --schema",
        )
    if reached and isinstance(last, OSError):
        return DestinationError(
            f"{destination} can't be written ({last.strerror or type(last).__name__})",
            f"See to it; then {_AGAIN}",
        )
    kind = type(last).__name__
    if not reached or any(type(one).__name__ == _UNREACHED for one in chain):
        return DestinationError(
            f"{destination} can't be reached, or doesn't let you in",
            f"See to its address, user and password, and that no other opens its file; {_AGAIN}",
        )
    code = getattr(last, "pgcode", None) or getattr(last, "sqlstate", None)
    if kind == "InsufficientPrivilege":
        return DestinationError(
            f"{destination} can't be written by this user ({kind}, {code})",
            f"Let it make schemas and tables there, or give it {destination.schema} and "
            f"{destination.schema}_staging with all that is in them; then {_AGAIN}",
        )
    if kind in _GONE and (not code or code[:2] in _GONE_CODES):
        return DestinationError(
            f"{destination} went away in the middle of a load ({kind})",
            f"See to it that it is there; then {_AGAIN}",
        )
    return DestinationError(
        f"{destination} refused a load ({kind}{f', {code}' if code else ''})",
        f"Its own log tells why. Then {_AGAIN}",
    )


def _of_settings(
    chain: Sequence[BaseException], destination: Destination
) -> ConfigurationError | None:
    """What of this is about dlt's own settings; None: nothing is."""
    names = [type(one).__name__ for one in chain]
    if "ConfigFieldMissingException" in names:
        missing = chain[names.index("ConfigFieldMissingException")]
        fields = ", ".join(sorted(getattr(missing, "traces", {})))
        return ConfigurationError(
            f"dlt isn't told how to reach {destination.kind}: {fields} is missing",
            f"Set {destination.section}…, or write it into .dlt/secrets.toml",
        )
    if any(one.__class__.__module__.startswith("dlt.common.configuration") for one in chain):
        return ConfigurationError(
            f"dlt's settings of {destination.kind} are wrong",
            f"Correct {destination.section}… or .dlt/secrets.toml",
        )
    if "MissingDependencyException" in names:
        return ConfigurationError(
            f"dlt lacks what it needs for {destination.kind}",
            f'Install it: pip install "dlt[{destination.kind}]"',
        )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it came of."""
    one: BaseException | None = error
    while one is not None:
        yield one
        inner = getattr(one, "inner_exc", None) or getattr(one, "client_exception", None)
        one = one.__cause__ or (inner if isinstance(inner, BaseException) else None)
