"""What can be configured on Dagster's page: what to order, and how strict a release is.

No default here orders anything: what is launched without having been filled in is refused.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of configurations.

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import msgspec
from pydantic import Field, create_model

from freg_pipeline.criteria.described import Criterion, criteria_of
from freg_pipeline.criteria.tilpasset import TilpassetKriterier
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.begin import Fill
from freg_pipeline.extract.liste import taken_list
from freg_pipeline.journal.kinds import AnyKind, Komplett, Tilpasset
from freg_pipeline.lake.guards import Policy
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store


class OrderKind(Enum):
    """What an uttrekk is of. Members are named as they are written: Dagster goes by names."""

    komplett = "komplett"
    tilpasset = "tilpasset"
    liste = "liste"
    begun = "begun"


def _field(criterion: Criterion) -> tuple[Any, Any]:
    """How a criterion is filled in on Dagster's page."""
    if criterion.several:
        return list[str], Field(default=[], description=criterion.meaning)
    return criterion.sort | None, Field(default=None, description=criterion.meaning)


def _config_of(name: str, kriterier: type[msgspec.Struct]) -> type[dg.Config]:
    """A configuration with a field for each criterion of a service."""
    fields: dict[str, Any] = {one.name: _field(one) for one in criteria_of(kriterier)}
    return create_model(name, __base__=dg.Config, **fields)


if TYPE_CHECKING:
    _Criteria = dg.Config
else:
    _Criteria = _config_of("_Criteria", TilpassetKriterier)


class OrderConfig(_Criteria):
    """What to order, where the uttrekk isn't begun yet. Names as the register's."""

    kind: OrderKind = Field(
        description=(
            "komplett: everyone. tilpasset: the selection that the criteria make; it needs"
            " personstatustyper. liste: the identity numbers in a file. begun: nothing new;"
            " resumes what was started under the partition's name."
        )
    )
    feedsekvensnr: int | None = Field(
        default=None, description="komplett: where to start; default: the register's last number"
    )
    liste: str | None = Field(default=None, description="liste: a file that this process can read")
    liste_kolonne: str | None = Field(
        default=None, description="liste: the column that holds the numbers"
    )
    order_again: bool = Field(
        default=False, description="order again if it is unknown whether the register got the order"
    )
    allow_other_kind: bool = Field(
        default=False, description="may replace a release of another kind or selection"
    )

    def require_whole(self) -> None:
        """See that everything filled in belongs to the kind, and that nothing it needs is missing.

        Raises:
            ConfigurationError: something doesn't, so that what was meant can't be known.
        """
        belongs = _BELONGS[self.kind]
        given = {
            name
            for name, value in self.model_dump(exclude={"kind", *_ALWAYS}).items()
            if value is not None and value != []
        }
        strange = sorted(given - belongs)
        if strange:
            raise ConfigurationError(
                f"{', '.join(strange)} means nothing for the kind {self.kind.value}",
                "Choose the right kind, or leave it out",
            )
        if self.kind is OrderKind.liste and not self.liste:
            raise ConfigurationError("the kind liste needs a file", "Name it as liste")

    @contextmanager
    def asked(self, store: Store) -> Iterator[tuple[AnyKind | None, Fill | None]]:
        """What is asked for, and what writes its batches where it is no job at the register.

        Args:
            store: where the batches of a list will lie.

        Yields:
            The kind with its value, None for what is begun; and the writer, or None.

        Raises:
            ConfigurationError: as :meth:`require_whole`; a criterion is wrong, or personstatustyper
                is missing; the list can't be read.
        """
        self.require_whole()
        match self.kind:
            case OrderKind.begun:
                yield None, None
            case OrderKind.komplett:
                yield Komplett(self.feedsekvensnr), None
            case OrderKind.tilpasset:
                yield Tilpasset(TilpassetKriterier(**self.model_dump(include=_CRITERIA))), None
            case OrderKind.liste:
                with taken_list(store, Path(self.liste or ""), self.liste_kolonne) as taken:
                    yield taken.kind, taken.fill


_CRITERIA = set(TilpassetKriterier.__struct_fields__)
_ALWAYS = {"order_again", "allow_other_kind"}
_BELONGS = {
    OrderKind.komplett: {"feedsekvensnr"},
    OrderKind.tilpasset: _CRITERIA,
    OrderKind.liste: {"liste", "liste_kolonne"},
    OrderKind.begun: set[str](),
}


class ReleaseConfig(dg.Config):
    """How strict a release is."""

    allow_incomplete: bool = Field(default=False, description="even if some look-ups failed")
    accept_contract: bool = Field(
        default=False, description="even if a contract change breaks queries"
    )
    allow_other_kind: bool = Field(
        default=False, description="even if it replaces one of another kind or selection"
    )
    allow_fewer: bool = Field(
        default=False, description="even if it holds far fewer persons or rows than the current one"
    )

    def policy(self, settings: Settings) -> Policy:
        """With the bounds that the settings say."""
        return Policy(
            **self.model_dump(include=set(ReleaseConfig.model_fields)),
            max_lost_persons=settings.max_lost_persons,
            max_lost_rows=settings.max_lost_rows,
            max_gone=settings.max_gone,
        )


class PublishConfig(ReleaseConfig):
    """Which uttrekk becomes a release, and how strict that is."""

    uttrekk: str | None = Field(
        default=None, description="its name; default: the only one whose batches have landed"
    )


class SyncConfig(ReleaseConfig):
    """How strict the releases are, and how many slices of the event list one run takes."""

    slices: int = Field(
        default=10,
        ge=1,
        description="each of up to 50,000 events, so that a long wave shows progress",
    )
