"""The register: every service that we call, behind one connection pool and one pace."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from freg_pipeline.client.access import access
from freg_pipeline.client.environments import base_url, granted, requests_per_minute
from freg_pipeline.client.hendelser import HendelserService
from freg_pipeline.client.personer import PersonerService
from freg_pipeline.client.transport import Transport
from freg_pipeline.client.uttrekk import UttrekkService
from freg_pipeline.settings import Settings


class Register:
    """One register, to be used as an async context manager.

    Attributes:
        uttrekk: orders and batches of identifiers.
        personer: person documents, their contract, and the searches.
        hendelser: the event list and the events' documents.
    """

    def __init__(
        self,
        transport: Transport,
        answer_format: str = "json",
        rettighetspakke: str = "offentlig-med-hjemmel",
    ) -> None:
        self._transport = transport
        self._form = answer_format, rettighetspakke
        self.uttrekk = UttrekkService(transport)
        self.personer = PersonerService(transport, answer_format, rettighetspakke)
        self.hendelser = HendelserService(transport, answer_format)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        known: Callable[[], bool] = lambda: False,
        waits: bool = False,
    ) -> Self:
        """The register that the settings name.

        Args:
            settings: which one, and how.
            known: whether anything was ever asked of it; asked only where nothing answers.
            waits: whether it is waited for when it is away, for as long as settings say.

        Raises:
            ConfigurationError: they name none.
        """
        return cls(
            Transport(
                base_url(settings),
                auth=access(settings),
                connections=settings.concurrency + 1,
                requests_per_minute=requests_per_minute(settings),
                package=granted(settings),
                ca_file=settings.ca_file,
                known=known,
                wait_hours=settings.wait_hours if waits else 0.0,
                most_bytes=settings.max_answer_mb * 1024**2,
            ),
            settings.answer_format,
            settings.rettighetspakke,
        )

    @property
    def base_url(self) -> str:
        """Everything before ``/v1``."""
        return self._transport.base_url

    def may_call(self, service: str) -> bool:
        """Whether a service is within the package, or let through by a setting."""
        return self._transport.may_call(service)

    def require(self, *services: str) -> None:
        """See that services are within the package, before work is begun that takes them.

        Raises:
            RefusedError: one isn't; names the packages that have it.
        """
        self._transport.require(*services)

    def impatient(self) -> Self:
        """The same register by the same connections, which isn't waited for when it is away."""
        return type(self)(self._transport.impatient(), *self._form)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
