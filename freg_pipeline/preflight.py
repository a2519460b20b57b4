"""What can be known before the first order: settings, store, access, contract, feed position."""

from __future__ import annotations

import secrets

from freg_pipeline.client import Register
from freg_pipeline.contract import Change, compare, compile_contract, incompatible
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.release import current_release
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store


async def preflight(settings: Settings, store: Store) -> list[str]:
    """Return a line for each thing that is as it should be.

    Raises:
        FregError: the first thing that isn't; says what to do.
    """
    lines = [f"settings      {settings.environment}, {settings.rettighetspakke}"]
    key = f"check-{secrets.token_hex(8)}"
    store.write(key, b"")
    store.delete(key)
    lines.append(f"store         {store.location} can be written")
    async with Register.from_settings(settings) as register:
        number = await register.hendelser.siste_sekvensnummer()
        lines.append(f"register      {register.base_url}, last sequence number {number}")
        plan = compile_contract(await register.personer.xsd())
    lines.append(f"contract      {plan.fingerprint}, {len(plan.tables)} tables")
    current = current_release(store)
    if current is not None:
        changes = compare(load_plan(store, current.contract), plan)
        lines += [f"              {change}" for change in changes]
        lines.append(f"release       {current.number}, {_verdict(changes)}")
    return lines


def _verdict(changes: list[Change]) -> str:
    if not changes:
        return "by the same contract"
    if incompatible(changes):
        return "whose queries the contract's changes would break"
    return "whose queries work with the contract's changes"
