"""The asset of an order: an uttrekk is begun, and ordered from the register.

A thin edge round domain code, as all assets are. It returns what it did as counts, and is safe to
repeat: what is done already is found in the store, and not done again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from typing import Any

import dagster as dg

from freg_pipeline.client import Register
from freg_pipeline.contract import Change
from freg_pipeline.extract.begin import open_uttrekk, require_approved, require_same_settings
from freg_pipeline.extract.liste import malformed_of
from freg_pipeline.extract.order import place_order
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.releases import current_release
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.drift import changes_between
from freg_pipeline.lake.guards import approval
from freg_pipeline.lake.heal import healing
from freg_pipeline.orchestration.common import ORDER_POOL, OWNERS
from freg_pipeline.orchestration.config import OrderConfig
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.partitions import UTTREKK, partitions
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.telling import in_our_words


def uttrekk_asset(names: Names) -> dg.AssetsDefinition:
    """The order of an uttrekk, a partition each."""

    @dg.asset(
        key=names.key("uttrekk"),
        partitions_def=partitions(names, UTTREKK),
        group_name=names.of("uttrekk"),
        kinds={"json"},
        owners=OWNERS,
        pool=names.of(ORDER_POOL),
        required_resource_keys={names.resource},
        description=(
            "One partition per uttrekk: the order at the register, recorded before it is sent and"
            " after it is answered, so that no second order is made blindly; or a list of one's"
            " own, or the hits of a search, for which nothing is ordered."
        ),
    )
    @in_our_words
    def uttrekk(
        context: dg.AssetExecutionContext, config: OrderConfig
    ) -> dg.MaterializeResult[None]:
        """Begin the partition's uttrekk, if it isn't begun, and order it, if it isn't ordered."""
        freg = freg_of(context, names)
        ordered = _order(freg, context.partition_key, config)
        return dg.MaterializeResult(metadata=_metadata(freg, ordered))

    return uttrekk


def _metadata(freg: Freg, ordered: Uttrekk) -> dict[str, Any]:
    request = ordered.request
    return {
        "kind": ordered.kind.name,
        "environment": ordered.question.environment,
        "rettighetspakke": ordered.question.rettighetspakke,
        "sekvensnummer": request.sekvensnummer,
        "contract": request.contract,
        "contract_changes": [str(change) for change in _contract_changes(freg, request)],
        "parts": len(request.parts),
        "malformed": healing(freg.store, lambda: malformed_of(ordered)).count,
    }


def _contract_changes(freg: Freg, request: Request) -> list[Change]:
    """What the uttrekk's contract changes for those who query the current release."""
    current = current_release(freg.store)
    return changes_between(freg.store, current.contract if current else None, request.contract)


def _order(freg: Freg, name: str, config: OrderConfig) -> Uttrekk:
    agreed = approval(freg.store, allow_other_kind=config.allow_other_kind)
    with config.asked(freg.store, freg.settings) as (kind, fill):

        async def order(register: Register) -> Uttrekk:
            if kind is None:
                ordered = Uttrekk(freg.store, name)
                require_same_settings(ordered, freg.settings)
                require_approved(ordered, agreed)
            else:
                ordered = await open_uttrekk(
                    freg.store,
                    register,
                    Question.of(kind, freg.settings, register.base_url),
                    fill=fill,
                    contract_file=freg.settings.contract_file,
                    name=name,
                    approval=agreed,
                )
            if ordered.kind.is_job:
                await place_order(register, ordered, freg.settings, again=config.order_again)
            return ordered

        return freg.ask(order)
