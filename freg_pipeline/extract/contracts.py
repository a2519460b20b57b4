"""The contract in force: as the register serves it, or, where it serves none, as it was kept.

The register has announced that it wants to stop serving contracts some day
(``folkeregisteret-api.md``, personer/xsd). A load goes on without: by a file that one is given
(FREG_CONTRACT_FILE), else by the contract of the last uttrekk in the store.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from freg_pipeline.client import Register
from freg_pipeline.client.patience import Patience
from freg_pipeline.contract import Plan, compile_contract, fingerprint
from freg_pipeline.errors import (
    ConfigurationError,
    DamagedError,
    FregError,
    GoneError,
    NotFoundError,
    ObjectMissingError,
    PassingError,
    RefusedError,
    SilentError,
)
from freg_pipeline.journal.releases import current_uttrekk
from freg_pipeline.journal.request import FOUND, ContractSource, contract_key
from freg_pipeline.journal.uttrekk import Uttrekk, by_age
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)

_NOT_SERVED = (NotFoundError, GoneError, PassingError)
_SHORT = Patience(faults=5, waits=False)  # some seconds: one is at hand that will do


@dataclass(frozen=True)
class InForce:
    """A contract, and where it is from.

    Attributes:
        plan: the tables by it.
        xsd: its text.
        source: register, file or store.
    """

    plan: Plan
    xsd: bytes
    source: ContractSource

    def __str__(self) -> str:
        told = f"{self.plan.fingerprint}, {len(self.plan.tables)} tables"
        return f"{told}{FOUND[self.source]}"


async def contract_in_force(store: Store, register: Register, file: Path | None) -> InForce:
    """The contract to work by.

    Args:
        store: what is kept.
        register: whom to ask.
        file: FREG_CONTRACT_FILE; None: not set.

    Raises:
        ContractError: it can't be compiled.
        ConfigurationError: the file can't be read.
        RefusedError: the register serves none, and neither file nor store has one.
        PassingError: nothing answers; or it can't be asked now, and neither of them has one.
    """
    kept = _kept(store, file)
    try:
        xsd = await _asked(register, None if kept is None else _SHORT)
    except SilentError:  # nothing is known of whether it serves one
        raise
    except _NOT_SERVED as error:
        if kept is None:
            raise _none(error) from None
        found = _in_force(*kept)
        logger.warning("%s; the contract is %s", error.what, found)
        return found
    return _in_force(xsd, "register")


async def _asked(register: Register, patience: Patience | None) -> bytes:
    try:
        return await register.personer.xsd(patience)
    except SilentError:  # away as a whole: waited for, as by everything that follows
        return await register.personer.xsd()


async def fetch_contract(store: Store, register: Register, file: Path | None) -> InForce:
    """As :func:`contract_in_force`; the store keeps it from now on."""
    found = await contract_in_force(store, register, file)
    key = contract_key(found.plan.fingerprint)
    try:
        there = store.recall(key)
    except ObjectMissingError:
        there = found.xsd if store.write(key, found.xsd) else store.read(key)
    if there != found.xsd:  # damaged since
        store.replace(key, found.xsd)
    return found


def _in_force(xsd: bytes, source: ContractSource) -> InForce:
    return InForce(compile_contract(xsd), xsd, source)


def _kept(store: Store, file: Path | None) -> tuple[bytes, ContractSource] | None:
    """What there is beside the register's answer."""
    if file is not None:
        try:
            return file.read_bytes(), "file"
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigurationError(
                f"the contract {file} can't be read: {reason}", "Correct FREG_CONTRACT_FILE"
            ) from None
    for uttrekk in _latest_first(store):
        try:
            xsd = store.read(contract_key(uttrekk.request.contract))
        except ObjectMissingError:
            continue
        if fingerprint(xsd) == uttrekk.request.contract:  # else damaged
            return xsd, "store"
    return None


def _latest_first(store: Store) -> Iterator[Uttrekk]:
    """Every uttrekk: those that are open and what is released first, which cost no list of all."""
    near = {one.name: one for one in Uttrekk.list_open(store)}
    with suppress(DamagedError, ConfigurationError):  # told by whoever needs the release
        released = current_uttrekk(store)
        if released is not None and Uttrekk(store, released).exists:
            near[released] = Uttrekk(store, released)
    yield from reversed(by_age(near.values()))
    yield from (one for one in reversed(Uttrekk.list_all(store)) if one.name not in near)


def _none(error: FregError) -> FregError:
    if isinstance(error, PassingError):
        return error
    return RefusedError(
        f"{error.what}: the register serves no contract, and the store holds none yet",
        "Check FREG_BASE_URL; if the register no longer serves contracts, set "
        "FREG_CONTRACT_FILE to a file with its XSD of person documents",
    )
