"""Whom the store keeps nothing about: those who were erased, until that is lifted.

Each erasure, and each lifting of one, is an object under ``erasures/``, written once, whose number
tells their order. It holds no number of anybody: each is kept as a keyed digest, whose key lies
beside it. Whoever has the store has the key too, and could try all numbers that there are: what it
keeps is that nobody reads a number there, and that an object that got out by itself tells nothing
(docs/decisions/0089).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.store import Store, read_record, recall_record, write_record
from freg_pipeline.store.record import replace_record

# What stands in the place of a number in a batch, so that the other ones keep theirs.
PLACEHOLDER = "slettet"
# Why there is no document, in the form of the register's own reasons.
REASON = "slettet her"
# The same of a document that is under a number which isn't kept out: the register has found since
# that somebody who was erased is this person. They are nobody here any more, like who is gone.
REASON_SINCE = "slettet her under et annet nummer"
OUTCOME = "slettet"

_FOLDER = "erasures/"
_KEY = f"{_FOLDER}key.json"
_DIGEST_BYTES = 16
_SHORT = 2_000  # bytes
_NUMBERS = re.compile(rb"(?<!\d)\d{10,11}(?!\d)")


class _Key(msgspec.Struct, frozen=True):
    key: str


class Order(msgspec.Struct, frozen=True):
    """That persons are erased, or no longer kept out.

    Attributes:
        created: when (UTC).
        persons: of each the digests of all numbers that they have had, as far as was known.
        members: the digests of numbers that persons had in the release that was current then.
        lifts: they are no longer kept out.
    """

    created: datetime
    persons: tuple[tuple[str, ...], ...]
    members: tuple[str, ...] = ()
    lifts: bool = False

    @property
    def digests(self) -> set[str]:
        """Those of all of them."""
        return {one for person in self.persons for one in person}


class _Lifted(msgspec.Struct, frozen=True):
    """Whom the next sync looks up, since they are kept out no longer."""

    numbers: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class KeptOut:
    """Who is kept out. False: nobody is.

    Attributes:
        number: of the last order; 0: there was none.
        digests: of the numbers.
    """

    number: int = 0
    digests: frozenset[bytes] = frozenset()
    key: bytes = b""

    def __bool__(self) -> bool:
        return bool(self.digests)

    def __contains__(self, number: object) -> bool:
        return bool(self.digests) and digest(self.key, str(number)) in self.digests

    def among(self, numbers: Iterable[str]) -> set[str]:
        """Those of the numbers that are kept out."""
        return {one for one in numbers if one in self}


NOBODY = KeptOut()


def digest(key: bytes, number: str) -> bytes:
    """What is kept of a number: a MAC, by BLAKE2's keyed mode, a third of the time of HMAC's."""
    return blake2b(number.encode(), key=key, digest_size=_DIGEST_BYTES).digest()


def numbers_in(text: bytes) -> set[str]:
    """What may be an identity number in a text; of ten digits, one that lost its leading zero."""
    found = set(_NUMBERS.findall(text)) if len(text) < _SHORT else _runs_of_digits(text)
    return {one.decode().zfill(11) for one in found}


def _runs_of_digits(text: bytes) -> set[bytes]:
    """The same of a long text: answers are looked through by the gigabyte."""
    import numpy as np  # those who read records alone need none

    content = np.frombuffer(text, np.uint8)
    is_digit = content - ord("0") < 10
    edges = np.flatnonzero(is_digit[1:] != is_digit[:-1]) + 1
    if is_digit[0]:
        edges = np.append(0, edges)
    if is_digit[-1]:
        edges = np.append(edges, len(content))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    found = set[bytes]()
    for size in (10, 11):
        at = starts[lengths == size]
        digits = np.ascontiguousarray(content[at[:, None] + np.arange(size)])
        found.update(digits.view(f"S{size}").ravel().tolist())
    return found


def kept_out(store: Store, known: KeptOut = NOBODY) -> KeptOut:
    """Who is kept out now. One listing, where nobody ever was or nothing has changed.

    Args:
        store: which.
        known: who was, by an earlier call.

    Raises:
        DamagedError: an order isn't as it was written, or is gone: nothing may land until it is
            restored.
    """
    numbers = _numbers(store)
    if max(numbers, default=0) == known.number:
        return known
    every = _read(store, numbers)
    whose: dict[str, frozenset[str]] = {}  # of each digest all those of its person
    for _, order in sorted(every.items()):
        for person in order.persons:
            theirs = frozenset(person).union(*(whose.get(one, ()) for one in person))
            if order.lifts:  # whichever of their numbers was told
                for one in theirs:
                    whose.pop(one, None)
            else:
                whose.update(dict.fromkeys(theirs, theirs))
    return KeptOut(max(every), frozenset(map(bytes.fromhex, whose)), _key(store))


def orders(store: Store) -> dict[int, Order]:
    """All orders by their numbers, which follow each other.

    Raises:
        DamagedError: one isn't as it was written, or is gone though its receipt is here, or a later
            one: nobody would be kept out by it any more.
    """
    return _read(store, _numbers(store))


def _numbers(store: Store) -> list[int]:
    names = [key.split("/") for key in store.list(_FOLDER)]
    numbered = {int(name[1]) for name in names if name[-1] in {"order.json", "receipt.json"}}
    there = {int(name[1]) for name in names if name[-1] == "order.json"}
    for number in range(1, max(numbered, default=0) + 1):
        if number not in there:
            raise DamagedError(_order_key(number), store.location, how="gone")
    return sorted(there)


def _read(store: Store, numbers: Iterable[int]) -> dict[int, Order]:
    return {number: recall_record(store, _order_key(number), Order) for number in numbers}


def add_order(
    store: Store,
    persons: Iterable[Collection[str]],
    *,
    members: Collection[str] = (),
    lifts: bool = False,
) -> int:
    """Record an order; return its number.

    Args:
        store: which.
        persons: of each their numbers.
        members: those numbers that persons of the current release have now.
        lifts: they are kept out no longer.
    """
    write_record(store, _KEY, _Key(secrets.token_hex(32)))
    key = _key(store)

    def digests(numbers: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(digest(key, one).hex() for one in numbers))

    told = tuple(sorted(map(digests, persons)))  # in no order that tells of a list
    order = Order(datetime.now(UTC), told, digests(members), lifts)
    number = max(orders(store), default=0) + 1
    while not write_record(store, _order_key(number), order):
        number += 1
    return number


def erased_before(store: Store, numbers: Sequence[str], *, members: bool) -> list[str]:
    """Those of the numbers whose persons were erased, and kept out since or not.

    Args:
        store: which.
        numbers: of persons.
        members: only of those who were in the release that was current then.
    """
    every = [order for order in orders(store).values() if not order.lifts]
    known = {one for order in every for one in order.members}
    told = (person for order in every for person in order.persons)
    them = {one for person in told if not members or not known.isdisjoint(person)
            for one in person}  # fmt: skip
    key = _key(store) if them else b""
    return [one for one in numbers if them and digest(key, one).hex() in them]


def await_sync(store: Store, number: int, numbers: Iterable[str]) -> None:
    """Have the next sync look up whom an order has lifted."""
    write_record(store, lifted_key(number), _Lifted(tuple(numbers)))


def awaiting(store: Store) -> tuple[int, ...]:
    """The orders that have lifted somebody whom no sync has looked up yet."""
    names = (key.split("/") for key in store.list(_FOLDER) if key.endswith("/lifted.json"))
    return tuple(sorted(int(name[1]) for name in names))


def lifted(store: Store, numbers: Iterable[int]) -> list[str]:
    """The identity numbers that are to be looked up by orders; none of those that are over."""
    found: list[str] = []
    for number in numbers:
        try:
            found += read_record(store, lifted_key(number), _Lifted).numbers
        except ObjectMissingError:
            continue
    return list(dict.fromkeys(found))


def forget_lifted(store: Store, number: int, without: Collection[str] | None = None) -> None:
    """Whom an order has lifted is looked up; or some of them were erased again."""
    left = [one for one in lifted(store, [number]) if without is not None and one not in without]
    if left:
        replace_record(store, lifted_key(number), _Lifted(tuple(left)))
    else:
        store.delete(lifted_key(number))


def digest_all(store: Store, numbers: Iterable[str]) -> set[str]:
    """What orders keep of numbers; nothing where there was none."""
    return {digest(_key(store), one).hex() for one in numbers} if orders(store) else set()


def lifted_key(number: int) -> str:
    """Where it lies whom an order has lifted, until a sync has looked them up."""
    return f"{_FOLDER}{number:06d}/lifted.json"


def receipt_key(number: int) -> str:
    """Where the receipt of an erasure lies."""
    return f"{_FOLDER}{number:06d}/receipt.json"


def has_receipt(store: Store, number: int) -> bool:
    """Whether an erasure is done."""
    return store.exists(receipt_key(number))


def ended_erasures(store: Store) -> int:
    """How many erasures are done."""
    return sum(key.endswith("/receipt.json") for key in store.list(_FOLDER))


def _key(store: Store) -> bytes:
    return bytes.fromhex(recall_record(store, _KEY, _Key).key)


def _order_key(number: int) -> str:
    return f"{_FOLDER}{number:06d}/order.json"
