"""The population lives: changes come by the clock, on demand, or as a wave.

What happens is drawn from the register's seed, and nothing else: the same seed and the same calls
give the same register. The clock only decides how much of it has happened.
"""

from __future__ import annotations

import time
from random import Random

import numpy as np

from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.living import (
    addresses,
    families,
    names,
    registrations,
    residence,
    single,
)
from freg_pipeline.synthetic.living.recorder import Happening, Recorder
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.wave import KIND, MILLISECONDS_AN_EVENT

__all__ = ["KINDS", "UNKNOWN", "CannotHappenError", "Living"]

UNKNOWN = "endringINyOpplysning"  # a kind that no contract lists
AT_ONCE = 2_000  # events that one request may have to wait for
_ATTEMPTS = 50
_ALWAYS = "personErOpprettet"  # what can happen when there is nobody to whom anything could


def _created(recorder: Recorder, kind: str) -> bool:
    if recorder.rows.chance(0.6) and families.birth(recorder, kind):
        return True
    return residence.d_nummer(recorder, kind)


CHANGES: dict[str, Happening] = {
    **names.CHANGES,
    **single.CHANGES,
    **addresses.CHANGES,
    **families.CHANGES,
    **registrations.CHANGES,
    **residence.CHANGES,
    _ALWAYS: _created,
    UNKNOWN: single.untold,
}
KINDS = tuple(CHANGES)

# Of those that are not named here, one each.
_WEIGHTS = {
    "endringIBostedsadresse": 12,
    "endringIBostedsadresseUtenFlytting": 8,
    "endringINavn": 5,
    "endringISivilstand": 5,
    "endringIKontaktinformasjon": 4,
    "endringIIdentitetsgrunnlag": 4,
    "personErOpprettet": 4,
    "personErDoed": 3,
    "personErBosatt": 3,
    "personErUtflyttet": 3,
    UNKNOWN: 0,
}


class CannotHappenError(Exception):
    """There is nobody left to whom a change of that kind could happen."""


class Living:
    """Makes things happen to the people of an archive."""

    def __init__(self, archive: Archive, options: RegisterOptions) -> None:
        self._archive = archive
        self._random = Random(f"living {options.seed}")
        self._recorder = Recorder(archive, self._random)
        self._a_second = options.events_per_minute / 60
        self._unknown = options.unknown_kinds
        self._started = time.monotonic()
        self._caught_up = 0
        self._weights = [_WEIGHTS.get(kind, 1) for kind in KINDS]
        while archive.last_sequence_number < options.lived_to:
            self._change(None)
        if options.wave:
            self.wave(options.wave)

    def catch_up(self) -> None:
        """Let happen what the clock says should have happened by now, as far as one may wait."""
        due = int((time.monotonic() - self._started) * self._a_second) - self._caught_up
        if due > 0:
            before = len(self._archive.events)
            self.happen(min(due, AT_ONCE))
            self._caught_up += len(self._archive.events) - before

    def happen(self, events: int, kind: str | None = None) -> int:
        """Let changes happen until there are so many more events; returns the last one's number.

        Args:
            events: at least so many; a change can make several. With ``kind``: so many of that.
            kind: hendelsetype; None: any, as it comes.

        Raises:
            CannotHappenError: nobody is left to whom it could happen.
        """
        made = 0
        while made < events:
            before = len(self._archive.events)
            self._change(kind)
            new = self._archive.events.events(range(before, len(self._archive.events)))
            made += sum(kind in (None, event.kind) for event in new)
        return self._archive.last_sequence_number

    def _drawn(self) -> str:
        if self._random.random() < self._unknown:
            return UNKNOWN
        return self._random.choices(KINDS, self._weights)[0]

    def silently(self, changes: int, kind: str | None = None) -> int:
        """Let so many changes happen without any event, as the register has done more than once.

        Returns the last event's number, which stays what it was.

        Raises:
            CannotHappenError: nobody is left to whom it could happen.
        """
        for _ in range(changes):
            self._change(kind, silently=True)
        return self._archive.last_sequence_number

    def _change(self, kind: str | None, *, silently: bool = False) -> None:
        for attempt in range(_ATTEMPTS):
            chosen = kind or (self._drawn() if attempt < _ATTEMPTS - 1 else _ALWAYS)
            self._recorder.begin()
            if CHANGES[chosen](self._recorder, chosen):
                self._recorder.commit(silently=silently)
                return
        raise CannotHappenError(kind)

    def wave(self, events: int) -> int:
        """So many events of one kind, over distinct persons as far as there are, and then again.

        Returns the last one's sequence number.

        Raises:
            CannotHappenError: there is nobody.
        """
        people = np.flatnonzero(self._archive.people.in_force()).tolist()
        if not people:
            raise CannotHappenError(KIND)
        self._random.shuffle(people)
        moment = self._archive.now
        for count in range(events):
            person = self._archive.people.look(people[count % len(people)])
            moment += MILLISECONDS_AN_EVENT
            self._archive.add_by_wave(person, moment)
        return self._archive.last_sequence_number
