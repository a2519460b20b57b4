"""What can be known before the first order: settings, store, access, contract, feed position."""

from __future__ import annotations

import secrets

from freg_pipeline.client import Register
from freg_pipeline.contract import compile_contract
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
    kept = store.exists(f"contracts/{plan.fingerprint}.xsd")
    known = "known to this store" if kept else "new to this store"
    lines.append(f"contract      {plan.fingerprint}, {len(plan.tables)} tables, {known}")
    return lines
