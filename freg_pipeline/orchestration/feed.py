"""Keeping current: the asset that takes the event list into releases, its job, checks and sensor.

Not partitioned: a sync follows from the current release alone. No two should run at once, since the
second one would do the same work; should it happen all the same, both write the same names, and one
of them publishes.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import dagster as dg

from freg_pipeline.client import Register
from freg_pipeline.course import collect
from freg_pipeline.errors import ConfigurationError, ObjectMissingError, OvertakenError, TooOldError
from freg_pipeline.extract.begin import open_uttrekk
from freg_pipeline.extract.order import place_order
from freg_pipeline.feed.lag import Lag, measure_lag
from freg_pipeline.feed.position import last_number
from freg_pipeline.feed.sync import Slice, drop_staging
from freg_pipeline.feed.tables import staged_events
from freg_pipeline.journal.kinds import Komplett
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.releases import current_release, require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.common import LOOK_UP_POOL, OWNERS, Job
from freg_pipeline.orchestration.config import SyncConfig
from freg_pipeline.orchestration.guarding import SYNC_RULES, guard_specs, guarded
from freg_pipeline.orchestration.metadata import counts, fresh
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.shown import is_shown, show_release
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.unreleased import nothing_to_check
from freg_pipeline.orchestration.workers import Workers
from freg_pipeline.store import Store


def hendelser_asset(names: Names, fresh: dg.FreshnessPolicy | None) -> dg.AssetsDefinition:
    """The event list, taken into releases.

    Args:
        names: what everything is called.
        fresh: within what time the release is to be brought up to the register, or found there.
    """
    key = names.key("hendelser")

    @dg.asset(
        key=key,
        group_name=names.of("feed"),
        kinds={"json", "parquet"},
        owners=OWNERS,
        pool=names.of(LOOK_UP_POOL),
        freshness_policy=fresh,
        check_specs=guard_specs(key, SYNC_RULES),
        required_resource_keys={names.resource},
        description=(
            "The event list, taken into releases: what happened since the current one, each changed"
            " person looked up once, published as a delta. Not partitioned."
        ),
    )
    @in_our_words
    def hendelser(
        context: dg.AssetExecutionContext, config: SyncConfig
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        """Bring the current release up to the register's last event, a slice at a time."""
        started = time.monotonic()
        config.require_whole()
        freg = freg_of(context, names)
        try:
            slices, current = yield from guarded(
                context, key, lambda: _sync(context, names, freg, config), SYNC_RULES
            )
        except TooOldError:
            if not freg.settings.full_load_when_too_old:
                raise
            name = _order_anew(freg)
            context.log.warning(
                "the event list no longer reaches back far enough: ordered %s", name
            )
            yield from guarded(context, key, lambda: None, SYNC_RULES)
            yield dg.MaterializeResult(metadata={"full_load": name})
            return
        yield dg.MaterializeResult(metadata=_metadata(freg, slices, current, started))

    return hendelser


def _metadata(
    freg: Freg, slices: list[Slice], manifest: Manifest, started: float
) -> dict[str, Any]:
    lag = _lag(freg, manifest)
    return {
        "release": manifest.number,
        "sekvensnummer": manifest.sekvensnummer,
        **fresh(manifest),
        **counts(
            releases=len(slices),
            events=sum(one.events for one in slices),
            persons=sum(one.persons for one in slices),
            events_without_document=sum(one.without_document for one in slices),
            events_not_followed=sum(one.not_followed for one in slices),
            bytes=sum(one.bytes for one in slices),
            seconds=round(time.monotonic() - started, 3),
            events_behind=lag.events,
            minutes_behind=lag.minutes,
        ),
    }


def _sync(
    context: dg.AssetExecutionContext, names: Names, freg: Freg, config: SyncConfig
) -> tuple[list[Slice], Manifest]:
    """Slice after slice, each of them a release, up to the last event that there is now.

    What happens meanwhile is the next sync's: the register never rests, and one that ran after it
    would publish a few events at a time without an end.
    """
    slices: list[Slice] = []
    current = require_current(freg.store)
    position = current.sekvensnummer
    goal = freg.ask(lambda register: last_number(register, current))
    while len(slices) < config.slices and position < goal:
        try:
            taken = healing(freg.store, partial(_take, freg, config, current.uttrekk))
        except OvertakenError as error:
            moved = require_current(freg.store)
            if moved.sekvensnummer == position:
                raise
            context.log.warning("another sync is at work: %s; going on from there", error.what)
            current, position = moved, moved.sekvensnummer
            continue
        current = require_current(freg.store)
        if taken is None:  # or another sync has taken it
            break
        show_release(context, names, freg.store, current)
        position = current.sekvensnummer
        slices.append(taken)
    if not slices and not is_shown(context.instance, names, current):
        show_release(
            context, names, freg.store, current
        )  # whoever published it was stopped before that
    return slices, current


def _take(freg: Freg, config: SyncConfig, before: str) -> Slice | None:
    """One slice, collected and published; None: nothing has happened."""
    taken = freg.ask(
        lambda register: collect(
            freg.store,
            register,
            freg.settings,
            freg.progress,
            ask_again=not config.allow_incomplete,
        )
    )
    if taken is None:
        return None
    account = _publish(freg, taken, config, before).accounting
    return replace(
        taken,
        without_document=account.events_without_document,
        not_followed=account.events_not_followed,
    )


def _publish(freg: Freg, taken: Slice, config: SyncConfig, before: str) -> Manifest:
    try:
        manifest = build_release(freg.store, taken.uttrekk, policy=config.policy(freg.settings))
    except OvertakenError:
        taken.uttrekk.give_up()  # nothing will continue the release that it follows
        raise
    if manifest.uttrekk != before:
        drop_staging(Uttrekk(freg.store, before))
    return manifest


def _lag(freg: Freg, current: Manifest) -> Lag:
    form = freg.settings.answer_format
    return freg.ask(lambda register: measure_lag(register, current, form))


def _order_anew(freg: Freg) -> str:
    """Order everyone once more; an order that is under way is resumed."""
    kind = Uttrekk(freg.store, require_current(freg.store).base.uttrekk).kind
    if not kind.is_everyone:
        raise ConfigurationError(
            "the event list no longer reaches back to where the release stands, and it "
            f"was not made from a full load ({kind.name})",
            f"Make it again: {kind.command()}",
        )

    async def order(register: Register) -> str:
        ordered = await open_uttrekk(
            freg.store,
            register,
            Question.of(Komplett(), freg.settings, register.base_url),
            contract_file=freg.settings.contract_file,
        )
        await place_order(register, ordered, freg.settings)
        return ordered.name

    return freg.ask(order)


_CHECKS = {
    "position_moved": "The release's position is that of the last event that it contains.",
    "counts_explained": "Every event has its row, every person looked up is accounted for.",
    "not_behind": "The register has no event that the release doesn't contain.",
}


def hendelser_checks(names: Names) -> dg.AssetChecksDefinition:
    """The checks of the asset ``hendelser``."""

    @dg.multi_asset_check(
        name=names.of("hendelser_checks"),
        specs=[
            dg.AssetCheckSpec(name, asset=names.key("hendelser"), description=description)
            for name, description in _CHECKS.items()
        ],
        can_subset=True,
        required_resource_keys={names.resource},
    )
    @in_our_words
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        """Check the current release against its sync, and against the register."""
        freg, selected = freg_of(context, names), context.selected_asset_check_keys
        manifest = current_release(freg.store)
        if manifest is None:
            yield from nothing_to_check(selected)
            return
        wanted = {key.name for key in selected}
        for result in _against_its_sync(freg.store, manifest):
            if result.check_name in wanted:
                yield result
        if "not_behind" in wanted:
            yield _against_the_register(freg, manifest)

    return checks


def _against_the_register(freg: Freg, manifest: Manifest) -> dg.AssetCheckResult:
    lag = _lag(freg, manifest)
    return dg.AssetCheckResult(
        check_name="not_behind",
        passed=not lag.events,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=counts(events_behind=lag.events, minutes_behind=lag.minutes),
    )


def _against_its_sync(store: Store, manifest: Manifest) -> Iterator[dg.AssetCheckResult]:
    made_of = Uttrekk(store, manifest.uttrekk)
    end = made_of.feed_end
    etter = made_of.etter
    yield dg.AssetCheckResult(
        check_name="position_moved",
        passed=end is None or etter is None or etter < manifest.sekvensnummer == end.siste,
        metadata={"sekvensnummer": manifest.sekvensnummer, "etter": etter or 0},
    )
    events = 0 if end is None else end.hendelser
    try:
        rows = staged_events(store, made_of.name).files["hendelse"].rows if end else 0
    except ObjectMissingError:  # another sync has published since, or it was made current again
        rows = events
    unexplained = manifest.accounting.unexplained
    yield dg.AssetCheckResult(
        check_name="counts_explained",
        passed=events == rows and not unexplained,
        metadata=counts(events=events, rows=rows, unexplained=unexplained),
    )


def sync_job(names: Names, workers: Workers) -> Job:
    """One sync, with its checks."""
    key = names.key("hendelser")
    return dg.define_asset_job(
        names.of("sync_hendelser"),
        selection=dg.AssetSelection.assets(key) | dg.AssetSelection.checks_for_assets(key),
        # dagster.yaml lets one run of each value at a time
        **workers.place("sync_hendelser", {"freg/feed": names.of("sync")}),
        description="Brings the current release up to the register's last event.",
    )
