"""What can be chosen of a synthetic register."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

REFUSED_PARTS = ("forholdTilSametingetsValgmanntall",)  # since 2023-04-03 (news of 2023-03-27)


@dataclass(frozen=True)
class RegisterOptions:
    """Choices for one synthetic register; the same choices give the same register.

    Attributes:
        persons: registrations. About 0.2% of them are merged into another person, so there are
            somewhat fewer persons.
        seed: of the population.
        batch_size: identifiers in a batch of an uttrekk.
        ready_after_seconds: from an order until its first batch can be fetched; later batches take
            a little longer each.
        job_lifetime_hours: how long a job's batches can be fetched.
        requests_per_minute: from one address, beyond which they are refused by 429; 0: any number.
        latency_ms: added to every answer, in milliseconds.
        duplicates: share of document identifiers that a komplett uttrekk delivers twice.
        contract: the XSD to serve in place of its own; the documents stay as they are.
        events_per_minute: how fast things happen to the people, by the clock.
        lived_to: what comes until the event of this number has happened before it is served, so
            that a register which is started again goes on from where it was.
        wave: so many events of a wave have come before it is served.
        unknown_kinds: share of changes that come as events of a kind that no contract lists.
        history_months: what has been history for longer, by the register's own clock, is gone: the
            feed answers 406, and the archive 400.
        oldest_sekvensnummer: history before this number is gone too.
        faults: what goes wrong, as :func:`freg_pipeline.synthetic.faults.read_faults` takes it.
        refused_parts: ``part``s that are refused with 400, although the contract names them.
        fiks_refuses: a ``part`` that holds more than the role is refused by Fiks; else it is left
            out without a word, as by the register itself.
        old_hendelser: what hendelser/bulkoppslag answers where one of the documents asked for is
            older than ``history_months``: ``400`` to all of it, as to that one alone, or
            ``left-out``, the others.
        no_hits: what personer/soek answers when nobody fits: ``404``, or ``empty``, a list.
        strict_criteria: a criterion of uttrekk/tilpasset that no description names is refused;
            else it is passed over.
        scopes: further Maskinporten scopes, good for every package.
        auth: whether a request needs a token, got from the token endpoint that is served beside it.
        token_seconds: how long a token is good for.
        note_lookups: what is looked up is noted, and told under ``/_synthetic/oppslag``.
        cache: the folder that large populations are kept in, so that the next start takes seconds;
            None: such a one is made anew for each start.
    """

    persons: int = 20_000
    seed: int = 1
    batch_size: int = 5_000
    ready_after_seconds: float = 0.3
    job_lifetime_hours: float = 36.0
    requests_per_minute: int = 0
    latency_ms: int = 0
    duplicates: float = 0.0
    contract: bytes | None = None
    events_per_minute: float = 0.0
    lived_to: int = 0
    wave: int = 0
    unknown_kinds: float = 0.0
    history_months: float = 36.0
    oldest_sekvensnummer: int = 0
    faults: str = ""
    refused_parts: tuple[str, ...] = REFUSED_PARTS
    fiks_refuses: bool = True
    old_hendelser: Literal["400", "left-out"] = "400"
    no_hits: Literal["404", "empty"] = "404"
    strict_criteria: bool = False
    scopes: tuple[str, ...] = ()
    auth: bool = False
    token_seconds: int = 120
    note_lookups: bool = False
    cache: Path | None = None
