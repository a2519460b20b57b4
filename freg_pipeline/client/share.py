"""How much of a register's limit is ours, when others may be using it too.

The limit counts requests by IP address, and behind one address there may be further machines,
containers, and programs that we know nothing of. Nobody but the register sees all of them, and it
says so by 429. So everyone asks at the full limit until it says that, then a little more slowly,
and goes carefully back: first quickly to where it was refused, slowly round about there, then
faster and faster, for as long as nobody objects (the cubic curve of RFC 9438, by which TCP shares a
line).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Self

# Found by trying out, against registers that count a minute in several ways (decision record 0078).
DROP = 0.05  # share of the rate that is given up when refused
MOST_DROP = 0.2
BACK_SECONDS = 30.0  # from half the limit, until we are back at where we were refused
ROUND_SECONDS = 7.0  # refusals within it tell the same thing
SOON_SECONDS = 12.0  # refused again so soon, we have given up too little
LEAST_SHARE = 1 / 20  # of the limit: never slower, so that a sync goes on beside others' loads
LEAST_HOLD = 0.5  # seconds: one place that is free is none for all who wait
MINUTE = 60.0
_SLOT_SECONDS = 5.0
_SLOTS = 12  # a minute of them
_STATE = struct.Struct(f"=6d{_SLOTS}I")


@dataclass(frozen=True)
class Share:
    """What is known about our share: times are seconds of the machine's monotonic clock.

    Attributes:
        place: when the next request may leave.
        held: nothing leaves before this time, since the register said so.
        ceiling: requests a minute at which we were refused last; 0: we weren't.
        since: when that was, or when we went on after it.
        drop: share of the ceiling that was given up then.
        slot: number of the five seconds that were counted last.
        counts: requests that left in each of the last minute's five seconds, by ``slot % 12``.
    """

    place: float = 0.0
    held: float = 0.0
    ceiling: float = 0.0
    since: float = 0.0
    drop: float = DROP
    slot: float = 0.0
    counts: tuple[int, ...] = (0,) * _SLOTS

    @classmethod
    def read(cls, content: bytes) -> Self:
        """From what :meth:`written` made; from anything else: nothing is known."""
        if len(content) != _STATE.size:
            return cls()
        place, held, ceiling, since, drop, slot, *counts = _STATE.unpack(content)
        return cls(place, held, ceiling, since, drop, slot, tuple(counts))

    def written(self) -> bytes:
        """As bytes, always equally many."""
        return _STATE.pack(
            self.place, self.held, self.ceiling, self.since, self.drop, self.slot, *self.counts
        )

    def rate(self, now: float, limit: float) -> float:
        """Requests a minute that may leave now, out of the whole limit."""
        if not self.ceiling:
            return limit
        steepness = DROP * limit / 2 / BACK_SECONDS**3
        back: float = (self.drop * self.ceiling / steepness) ** (1 / 3)
        rate = self.ceiling + steepness * (now - self.since - back) ** 3
        return min(limit, max(LEAST_SHARE * limit, rate))

    def leaves(self, at: float) -> Self:
        """One more request leaves, at that time."""
        slot = at // _SLOT_SECONDS
        counts = list(self._counts(slot))
        counts[int(slot) % _SLOTS] += 1
        return replace(self, slot=max(slot, self.slot), counts=tuple(counts))

    def refused(self, sent: float, now: float, limit: float, wait: float) -> Self:
        """A request was refused.

        Args:
            sent: when it was sent.
            now: when the answer came.
            limit: the whole, in requests a minute.
            wait: seconds that the register asks for. A limit that counts by minute never needs more
                than a minute; whoever was asked for more waits alone.
        """
        held = max(self.held, now + min(max(wait, LEAST_HOLD), MINUTE))
        if self.ceiling and sent < self.since + ROUND_SECONDS:
            return replace(self, held=held)
        rate = self.rate(now, limit)
        # What has gone well is ours; of a rate that nothing has proven yet, half.
        ceiling = min(rate, max(self._proven(now), rate / 2))
        drop = DROP
        if self.ceiling and now < self.since + SOON_SECONDS:
            drop = min(MOST_DROP, 2 * self.drop)
            ceiling = min(ceiling, rate * (1 - drop) / (1 - DROP))
        return replace(self, held=held, ceiling=ceiling, since=held, drop=drop)

    def _proven(self, now: float) -> int:
        """Requests a minute that were sent lately: in the last minute, or quarter of one."""
        slot = now // _SLOT_SECONDS
        counts = self._counts(slot)
        quarter = [counts[int(slot - back) % _SLOTS] for back in range(1, 1 + _SLOTS // 4)]
        return max(sum(counts), 4 * sum(quarter))

    def _counts(self, slot: float) -> tuple[int, ...]:
        """The last minute's, those from before it left out."""
        gone = min(max(0, int(slot - self.slot)), _SLOTS)
        old = {int(self.slot + 1 + number) % _SLOTS for number in range(gone)}
        return tuple(0 if i in old else count for i, count in enumerate(self.counts))
