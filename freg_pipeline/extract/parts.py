"""Which ``part``s an uttrekk asks for: those that its tables hold, and the least beside them.

Two registrations are known to be one person by the rows of ``identifikasjonsnummer``, the ended
ones among them, and these the register gives with ``historikk`` only. ``historikk`` holds for
everything that a question returns. So where no history is asked for, the numbers come from a second
look-up, of nothing but the numbers (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from freg_pipeline.contract import Plan
from freg_pipeline.contract.names import snake_case
from freg_pipeline.errors import ConfigurationError

BASIS = "person-basis"
HISTORY = "historikk"
ALL, WITHOUT = "alle", "-"  # in the settings: alle,-opphold
NUMBERS = "identifikasjonsnummer"
# What each composite gives (the register's documentation, dataminimering). What is not listed here
# comes by an entity's own name only.
COMPOSITES: dict[str, tuple[str, ...]] = {
    BASIS: (
        NUMBERS, "identitetsgrunnlag", "status", "doedsfall", "sivilstand", "foedsel",
        "statsborgerskap", "kjoenn", "navn", "bostedsadresse", "oppholdsadresse", "deltBosted",
        "postadresse", "postadresseIUtlandet", "adressebeskyttelse",
        "kontaktinformasjonForDoedsbo",
    ),
    HISTORY: (),
    "identitetsgrunnlag-utvidet": (
        "falskIdentitet", "legitimasjonsdokument", "utenlandskPersonidentifikasjon",
    ),
    "relasjon-utvidet": (
        "familierelasjon", "foreldreansvar", "vergemaalEllerFremtidsfullmakt",
    ),
}  # fmt: skip

# What events call otherwise than the person's document does (the contract of event documents).
_OTHER_NAMES = {
    "kontaktadresse": "postadresse",
    "kontaktadresseIUtlandet": "postadresseIUtlandet",
}


@dataclass(frozen=True)
class Parts:
    """What an uttrekk's look-ups ask for.

    Attributes:
        landed: whose content the tables hold.
        apart: what is asked for beside them, only to tell persons apart, and is not landed.
    """

    landed: tuple[str, ...]
    apart: tuple[str, ...]


def choose(
    configured: Sequence[str],
    plan: Plan,
    refused: Collection[str] = (),
    spelling: Mapping[str, str] = MappingProxyType({}),
) -> Parts:
    """The parts to ask for.

    Args:
        configured: as in the settings; none means everything that the package may see.
        plan: the contract's tables.
        refused: parts that the register refuses: they are left out.
        spelling: how the register spells what the contract spells otherwise.
    """
    wanted = _wanted(configured, plan)
    if wanted == (HISTORY,):  # of what, nobody has said: as if no other part were given
        wanted = (BASIS, HISTORY)
    landed = tuple(spelling.get(part, part) for part in wanted if part not in refused)
    return Parts(landed, () if NUMBERS in refused else _apart(landed, refused))


def check_configured(configured: Sequence[str], plan: Plan) -> None:
    """See that the contract knows what is asked for, and what is not to be.

    Raises:
        ConfigurationError: it doesn't.
    """
    named = (part.removeprefix(WITHOUT) for part in configured if part != ALL)
    unknown = [part for part in named if uncapitalised(part) not in everything(plan)]
    if unknown:
        raise ConfigurationError(
            f"FREG_PARTS names {', '.join(unknown)}, which the contract doesn't know",
            f"Use {', '.join(COMPOSITES)}, or elements by their names, such as {plan.entities[0]}",
        )


def _wanted(configured: Sequence[str], plan: Plan) -> tuple[str, ...]:
    named = dict.fromkeys(map(uncapitalised, configured))
    if named and ALL not in named:
        return tuple(named)
    without = {part.removeprefix(WITHOUT) for part in named if part.startswith(WITHOUT)}
    # A composite that holds what isn't wanted gives it too: its others come by name as well.
    whole = (name for name, given in COMPOSITES.items() if without.isdisjoint(given))
    return tuple(part for part in (*whole, *plan.entities) if part not in without)


def uncapitalised(part: str) -> str:
    """A part as the contract spells it: every element begins with a small letter."""
    return part[:1].lower() + part[1:]


def everything(plan: Plan) -> tuple[str, ...]:
    """The parts that give all that the package may see: composites, and every entity by name."""
    return (*COMPOSITES, *plan.entities)


def entities(parts: Collection[str]) -> frozenset[str]:
    """The entities that parts give, as the contract names them."""
    return frozenset(
        entity for part in parts for entity in COMPOSITES.get(part, (uncapitalised(part),))
    )


def is_landed(entity: str | None, configured: Collection[str], landed: Collection[str]) -> bool:
    """Whether what an event tells of an entity may be kept.

    Args:
        entity: as the event calls it; what no contract names yet comes with all parts only.
        configured: as in the settings.
        landed: whose content the tables hold.
    """
    if not configured:
        return True
    return entity is not None and _entity_of_event(entity) in entities(landed)


@lru_cache(maxsize=256)  # a day's events name the same few
def table_of_event(entity: str | None) -> str | None:
    """The table of the entity that an event names; of one that no contract has yet, its name."""
    if entity is None:
        return None
    return snake_case(_entity_of_event(entity))


def _entity_of_event(entity: str) -> str:
    """As the contract names it: events have other names for some, and may begin with a capital."""
    name = uncapitalised(entity)
    return _OTHER_NAMES.get(name, name)


def _apart(landed: Collection[str], refused: Collection[str]) -> tuple[str, ...]:
    """The numbers have to be named: there are packages that give them only then."""
    if HISTORY not in landed and HISTORY not in refused:
        return (NUMBERS, HISTORY)
    return () if NUMBERS in landed else (NUMBERS,)
