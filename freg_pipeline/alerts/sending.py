"""Messages to those who are told of trouble: by mail, Slack, Teams, a webhook. Apprise sends them.

An address holds a secret (a token, a password, a webhook's path), so it is never part of a line:
receivers are called by their number and by what apprise calls the service.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import keep_secret, showable

if TYPE_CHECKING:
    from apprise import Apprise, NotifyResult

SECONDS = 12.0  # that all receivers together may take: a sensor's tick has thirty
_SHORTEST_SECRET = 6  # a shorter part of an address is part of any word


@dataclass(frozen=True)
class Sent:
    """What became of a message to one receiver.

    Attributes:
        receiver: which, from 1 on, as the setting names them.
        service: what apprise calls it: Slack, E-Mail, JSON.
        why: why it wasn't taken; empty: it was.
    """

    receiver: int
    service: str
    why: str = ""

    def __str__(self) -> str:
        who = f"receiver {self.receiver} of FREG_ALERTS ({self.service})"
        return f"{who} didn't take the message: {self.why}" if self.why else f"{who} took it"


class Receivers:
    """Those who are told.

    Args:
        addresses: as FREG_ALERTS has them; None: nobody.

    Raises:
        ConfigurationError: apprise isn't installed, or doesn't know what an address is of.
    """

    def __init__(self, addresses: SecretStr | None) -> None:
        self._addresses = [] if addresses is None else addresses.get_secret_value().split()
        self._apprise = _apprise(self._addresses) if self._addresses else None

    def __len__(self) -> int:
        return len(self._addresses)

    def send(self, title: str, bodies: Mapping[int, str], *, good: bool = False) -> list[Sent]:
        """Send each receiver its message, all at once. What fails is told, never raised.

        Args:
            title: a mail's subject; receivers without one get it as the first line.
            bodies: by receiver, from 1 on; who isn't named gets nothing.
            good: it is good news.
        """
        _keep_secret(self._addresses)  # which others may have displaced
        by_body: dict[str, list[int]] = {}
        for receiver, body in bodies.items():
            by_body.setdefault(body, []).append(receiver)
        seconds = SECONDS / max(1, len(by_body))
        return sorted(
            (
                sent
                for body, receivers in by_body.items()
                for sent in self._send(title, body, receivers, seconds, good=good)
            ),
            key=lambda one: one.receiver,
        )

    def _send(
        self, title: str, body: str, receivers: Sequence[int], seconds: float, *, good: bool
    ) -> Iterator[Sent]:
        from apprise import NotifyFormat, NotifyType

        if self._apprise is None:
            return
        with _silent():
            result = self._apprise.notify(
                body,
                title=title,
                notify_type=NotifyType.SUCCESS if good else NotifyType.WARNING,
                body_format=NotifyFormat.TEXT,
                tag=[_tag(receiver) for receiver in receivers],
                timeout=seconds,
            )
        for one in result.results:
            (receiver,) = (number for number in receivers if _tag(number) in one.tag)
            yield Sent(receiver, showable(one.name), "" if one else _why(one))


def _why(result: NotifyResult) -> str:
    said = [entry.message for entry in result.logs()]
    return showable(said[-1]).rstrip(".") if said else "it gave no reason"


def _tag(receiver: int) -> str:
    return f"receiver{receiver}"


def _apprise(addresses: Iterable[str]) -> Apprise:
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        raise ConfigurationError(
            "FREG_ALERTS names receivers, and what sends to them isn't installed",
            'Install it (pip install "freg_pipeline[alerts]"), or unset FREG_ALERTS',
        ) from None
    # No pictures and links of the library's own: nobody's mail fetches anything.
    asset = AppriseAsset(
        app_id="freg_pipeline",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        secure_logging=True,
    )
    told = Apprise(asset=asset)
    with _silent():
        for number, address in enumerate(addresses, start=1):
            if not any(told.add(form, tag=_tag(number)) for form in _forms(address)):
                raise ConfigurationError(
                    f"receiver {number} of FREG_ALERTS is no address that can be told",
                    "Write it as apprise's documentation has it: slack://…, mailtos://…, a "
                    "webhook's own https://…",
                )
    return told


def _forms(address: str) -> Iterator[str]:
    """An address as it is; a webhook that apprise has no name for gets JSON posted."""
    yield address
    scheme, _, rest = address.partition("://")
    if scheme.lower() in ("http", "https"):
        yield f"{'json' if scheme.lower() == 'http' else 'jsons'}://{rest}"


def _keep_secret(addresses: Iterable[str]) -> None:
    for address in addresses:
        parts = urlsplit(address)
        pieces = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
        password = unquote(parts.password or "")
        long = (piece for piece in map(unquote, pieces) if len(piece) >= _SHORTEST_SECRET)
        keep_secret(address, password, *long)


_lock = Lock()
_under_way = 0


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what the libraries log from whoever keeps logs: at some levels it quotes addresses.

    What apprise collects of it for its result is on its own logger, and stays.
    """
    global _under_way
    with _lock:
        _under_way += 1
        _propagate(on=False)
    try:
        yield
    finally:
        with _lock:
            _under_way -= 1
            _propagate(on=not _under_way)


def _propagate(*, on: bool) -> None:
    for name in ("apprise", "urllib3"):
        logging.getLogger(name).propagate = on
