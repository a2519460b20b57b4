"""What can be configured on Dagster's page: what to order, and how strict a release is.

No default here orders anything: what is launched without having been filled in is refused.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of configurations.

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

import dagster as dg
import msgspec
from pydantic import Field, create_model

from freg_pipeline.criteria.described import Criterion, criteria_of
from freg_pipeline.criteria.rules import KJOENN
from freg_pipeline.criteria.tilpasset import (
    PERSONSTATUSTYPER,
    SIVILSTANDSTYPER,
    TilpassetKriterier,
)
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.begin import Fill
from freg_pipeline.extract.liste import taken_list
from freg_pipeline.journal.kinds import AnyKind, Komplett, Tilpasset
from freg_pipeline.lake.guards import Policy
from freg_pipeline.orchestration.lists import list_file
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store


class OrderKind(Enum):
    """What an uttrekk is of. Members are named as they are written: Dagster goes by names."""

    komplett = "komplett"
    tilpasset = "tilpasset"
    liste = "liste"
    begun = "begun"


def _choice(*values: str) -> Any:
    """A type of which only these values may be written."""
    make: Any = Enum  # mypy takes the functional form with literal members only
    return _named_by_values(make("_Choice", {value: value for value in values}))


def _named_by_values(choice: type[Enum]) -> type[Enum]:
    """The same, named by its values: the form and Dagster's errors show nothing but the name."""
    choice.__name__ = f"({' | '.join(choice.__members__)})"
    return choice


_named_by_values(OrderKind)

# How each criterion of a selection is filled in, and an example of it in YAML, where 0301 is an
# octal number and has to be in quotes.
_KOMMUNE, _YEAR = (str, '"0301" (in quotes)'), (int, "1980")
WRITTEN: dict[str, tuple[Any, str]] = {
    "personstatustyper": (_choice(*PERSONSTATUSTYPER), "[bosatt]"),
    "bostedskommunenummer": _KOMMUNE,
    "oppholdskommunenummer": _KOMMUNE,
    "foedselsaar_fra_og_med": _YEAR,
    "foedselsaar_til_og_med": _YEAR,
    "doedsaar_fra_og_med": _YEAR,
    "doedsaar_til_og_med": _YEAR,
    "kjoenn": (_choice(*KJOENN), KJOENN[0]),
    "statsborgerskap": (str, "NOR"),
    "sivilstandstype": (_choice(*SIVILSTANDSTYPER), "ugift"),
}


def _field(criterion: Criterion) -> tuple[Any, Any]:
    """How a criterion is filled in on Dagster's page."""
    sort, example = WRITTEN[criterion.name]
    told = f"tilpasset: {criterion.meaning} Example: {example}"
    if criterion.several:
        return list[sort], Field(default=[], description=told)  # type: ignore[valid-type]
    return sort | None, Field(default=None, description=told)


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
            "What to order. komplett: everyone. tilpasset: the selection that the criteria make;"
            " it needs personstatustyper. liste: the identity numbers in a file. begun: nothing"
            " new; goes on with what was started under the partition's name."
        )
    )
    feedsekvensnr: int | None = Field(
        default=None,
        description=(
            "komplett: the sequence number of the event from which the release is kept current."
            " By default the register's last one. Example: 1500000"
        ),
    )
    liste: str | None = Field(
        default=None,
        description=(
            "liste: a file with an identity number a line, or a table (CSV, Parquet), by its name"
            " in the folder that runs may read lists from: FREG_LISTS. Example: customers.csv"
        ),
    )
    liste_kolonne: str | None = Field(
        default=None,
        description=(
            "liste: the column that holds the numbers, where the file is a table."
            " Example: foedselsnummer"
        ),
    )
    order_again: bool = Field(
        default=False,
        description=(
            "Order again where it is unknown whether the register got the order, or where it has"
            " lost it. A job may be left at the register; ten may run."
        ),
    )
    allow_other_kind: bool = Field(
        default=False,
        description=(
            "Agree that the release replaces one of another kind or selection, as a selection that"
            " follows everyone: whom it doesn't hold is gone from what readers see."
        ),
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
                f"Leave it out, or choose the kind {_kinds_of(strange)}",
            )
        if self.kind is OrderKind.liste and not self.liste:
            raise ConfigurationError("the kind liste needs a file", "Name it as liste")
        if self.feedsekvensnr is not None and self.feedsekvensnr < 0:
            raise ConfigurationError(
                "feedsekvensnr is below 0", "Give it an event's number, or leave it out"
            )

    @contextmanager
    def asked(
        self, store: Store, settings: Settings
    ) -> Iterator[tuple[AnyKind | None, Fill | None]]:
        """What is asked for, and what writes its batches where it is no job at the register.

        Args:
            store: where the batches of a list will lie.
            settings: which say where lists may be read from.

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
                yield Tilpasset(self.kriterier), None
            case OrderKind.liste:
                path = list_file(settings, self.liste or "")
                with taken_list(store, path, self.liste_kolonne) as taken:
                    yield taken.kind, taken.fill

    @property
    def kriterier(self) -> TilpassetKriterier:
        """The criteria of a selection. Raises ConfigurationError: one is wrong or missing."""
        filled_in = self.model_dump(mode="json", include=_CRITERIA)
        years = {name: str(value) for name, value in filled_in.items() if isinstance(value, int)}
        return TilpassetKriterier(**{**filled_in, **years})


_CRITERIA = set(TilpassetKriterier.__struct_fields__)
_ALWAYS = {"order_again", "allow_other_kind"}
_BELONGS = {
    OrderKind.komplett: {"feedsekvensnr"},
    OrderKind.tilpasset: _CRITERIA,
    OrderKind.liste: {"liste", "liste_kolonne"},
    OrderKind.begun: set[str](),
}


def _kinds_of(fields: list[str]) -> str:
    """For which kinds fields have a meaning."""
    return " or ".join(kind.value for kind, belongs in _BELONGS.items() if belongs & {*fields})


class ReleaseConfig(dg.Config):
    """How strict a release is."""

    allow_incomplete: bool = Field(
        default=False,
        description=(
            "Publish even if look-ups failed. The release says so; whoever is missing is listed in"
            " the table avvik."
        ),
    )
    accept_contract: bool = Field(
        default=False,
        description=(
            "Publish even if the register's contract has changed so that queries written for the"
            " release before may break."
        ),
    )
    allow_other_kind: bool = Field(
        default=False,
        description="Publish even if the release before is of another kind or selection.",
    )
    allow_fewer: bool = Field(
        default=False,
        description=(
            "Publish even if there are far fewer persons, or rows of a table, than in the release"
            " before (FREG_MAX_LOST_PERSONS, FREG_MAX_LOST_ROWS)."
        ),
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
        default=None,
        description=(
            "Its name, which is its partition. By default the only one whose batches have all"
            " landed. Example: komplett-20260601t060000"
        ),
    )


class SyncConfig(ReleaseConfig):
    """How strict the releases are, and how many slices of the event list one run takes."""

    slices: int = Field(
        default=10,
        description=(
            "How many releases one run publishes at the most, each of up to 50,000 events: a long"
            " wave shows progress, and the rest is the next run's."
        ),
    )

    def require_whole(self) -> None:
        """See that it takes anything; a bound of pydantic's would be told by a trace of its own.

        Raises:
            ConfigurationError: it takes nothing.
        """
        if self.slices < 1:
            raise ConfigurationError("slices is below 1", "Give it 1 or more, or leave it out")
