"""What can be known before the first order: settings, store, access, contract, feed position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from freg_pipeline.client import Register
from freg_pipeline.client.access import access
from freg_pipeline.client.environments import base_url, granted
from freg_pipeline.client.packages import ALL_SERVICES, Package
from freg_pipeline.client.signing_key import key_age, key_warning
from freg_pipeline.contract import Change, compare, incompatible
from freg_pipeline.extract.contracts import contract_in_force
from freg_pipeline.extract.parts import check_configured
from freg_pipeline.extract.probe import again_line, chosen_parts, refusal_line
from freg_pipeline.feed.position import last_number
from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.freshness import freshness_line
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.preflight_places import places_said
from freg_pipeline.preflight_services import services_said
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline.store.probe import probe


async def preflight(settings: Settings) -> AsyncIterator[str]:
    """Yield a line for each thing that is as it should be, as soon as it is known.

    Raises:
        FregError: the first thing that isn't; says what to do.
    """
    yield f"settings      {settings.environment}, {settings.rettighetspakke}, {base_url(settings)}"
    yield f"access        {await asyncio.to_thread(access(settings).describe)}"
    if settings.token is None and settings.maskinporten_key_file is not None:
        files = settings.maskinporten_key_file, settings.maskinporten_cert_file
        yield f"key           {key_age(*files, datetime.now(UTC).date())}"
        warning = key_warning(settings.maskinporten_key_file)
        if warning is not None:
            yield f"              Warning: {warning}"
    store = open_store(settings)
    probe(store)
    yield f"store         {store.location} can be written and read"
    for line in places_said(settings):
        yield line
    async with Register.from_settings(settings) as register:
        current = current_release(store)
        ask = register.hendelser.siste_sekvensnummer
        number = await (last_number(register, current) if current is not None else ask())
        yield f"register      lets us in, last sequence number {number}"
        yield f"package       {_services(granted(settings))}"
        first, *denied = await services_said(register, granted(settings).callable)
        yield f"services      {first}"
        for line in denied:
            yield f"              {line}"
        contract = await contract_in_force(store, register, settings.contract_file)
        plan = contract.plan
        check_configured(settings.parts, plan)
        parts, refused = await chosen_parts(register, settings.parts, plan)
    yield f"contract      {contract}"
    asked = register.may_call("personer/bulkoppslag")
    fine = "all of them are taken" if asked else "not tried: the package has no look-ups by number"
    yield f"parts         {refusal_line(refused, parts.landed, plan) or fine}"
    if current is not None:
        again = [part for part in current.parts_refused if part not in refused]
        if again:
            yield f"              {again_line(again)}"
        changes = compare(load_plan(store, current.contract), plan)
        for change in changes:
            yield f"              {change}"
        yield f"release       {current.number}, {_verdict(changes)}"
        yield f"freshness     {freshness_line(current)}"


def _services(package: Package) -> str:
    outside = sorted(ALL_SERVICES - package.callable)
    without = f"all but {', '.join(outside)}" if outside else "every service"
    return f"{package.name} may call {without}"


def _verdict(changes: list[Change]) -> str:
    if not changes:
        return "by the same contract"
    if incompatible(changes):
        return "whose queries the contract's changes would break"
    return "whose queries work with the contract's changes"
