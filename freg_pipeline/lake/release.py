"""Build releases and publish them: readers see a whole release, or the one before.

Publishing is safe to repeat at any point: an uttrekk becomes one release, whoever finishes it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.journal.accounting import Accounting
from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.manifest import Base, Manifest, TableEntry, base_folder
from freg_pipeline.journal.measures import Measures
from freg_pipeline.journal.pointer import manifest_key, newest_number
from freg_pipeline.journal.publish import note_release, publish_after
from freg_pipeline.journal.releases import current_release, read_manifest, release_of_base
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.accounting import landed_as, require_complete
from freg_pipeline.lake.base import BasePlan, base_of, plan_key, read_plan
from freg_pipeline.lake.counts import current_rows_of, missing_persons
from freg_pipeline.lake.delta import build_delta
from freg_pipeline.lake.drift import changes_between, require_compatible
from freg_pipeline.lake.guards import (
    STRICT,
    Policy,
    has_same_persons,
    require_not_fewer,
    require_not_gone,
    require_rows,
    require_same_persons,
)
from freg_pipeline.lake.heal import set_aside
from freg_pipeline.lake.landing import require_landed
from freg_pipeline.lake.measured import measures_of
from freg_pipeline.lake.piece import make_pieces
from freg_pipeline.lake.planning import write_plan
from freg_pipeline.lake.staging import Staging
from freg_pipeline.lake.tally import tally_of
from freg_pipeline.store import Store


def build_release(
    store: Store,
    uttrekk: Uttrekk,
    *,
    policy: Policy = STRICT,
) -> Manifest:
    """Make an uttrekk's release and publish it; one that is made already is returned.

    What is published last is current, also where its sekvensnummer is lower than that of the
    release before: whoever orders an uttrekk wants to see it. An uttrekk of events continues the
    current release: see :func:`freg_pipeline.lake.delta.build_delta`.

    Args:
        store: where the batches lie and the release goes.
        uttrekk: whose release; all its batches have landed.
        policy: how strict the release is.

    Raises:
        ContractError: the contract has changed so that queries break.
        OtherKindError: the current release is of another kind or selection.
        FewerError: it would hold far fewer persons or rows than the current release.
        IncompleteError: something failed or is unexplained; readers keep the release before.
        FregError: not all batches have landed.
    """
    if uttrekk.kind.is_sync:
        return build_delta(store, uttrekk, policy=policy)
    done = _released(store, uttrekk)
    if done is not None:
        return done
    began = time.monotonic()
    staging, plan = _planned(store, uttrekk, policy)
    made = make_pieces(store, uttrekk, staging, plan, range(plan.buckets))
    tables, base = base_of(store, uttrekk, plan, made)
    accounting = landed_as(plan.accounting, tables["person"].rows)
    if not policy.allow_incomplete:
        require_complete(accounting, uttrekk)
    by_others = time.monotonic() - plan.seconds - sum(piece.seconds for piece in made)
    measures = measures_of(uttrekk, staging.landed, min(began, by_others))
    manifest = _manifest(uttrekk, tables, base, accounting, measures)
    return _publish(store, uttrekk, manifest, policy)


def plan_release(store: Store, uttrekk: Uttrekk, *, policy: Policy = STRICT) -> BasePlan | None:
    """Settle who lands in an uttrekk's release, so that any worker can make pieces of it.

    Args:
        store: where the batches lie and the release goes.
        uttrekk: whose release; all its batches have landed. Not a sync's, which has no pieces.
        policy: how strict the release is.

    Returns:
        The plan; None: the release is made already.

    Raises:
        ContractError, OtherKindError, FewerError, IncompleteError: as :func:`build_release`.
    """
    if _released(store, uttrekk) is not None:
        return None
    return _planned(store, uttrekk, policy)[1]


def release_piece(store: Store, uttrekk: Uttrekk, piece: int) -> int:
    """Make one piece of a planned release, unless it is there; return its rows.

    Raises:
        DamagedError: what it is made of is damaged, or has landed anew since: see
            :func:`freg_pipeline.lake.heal.healing`.
        FregError: nothing is planned, or there is no such piece.
    """
    plan = read_plan(store, uttrekk)
    if plan is None or piece not in range(plan.buckets):
        raise FregError(
            f"the release of {uttrekk.name} has no piece {piece} to be made",
            f"Resume it: {uttrekk.resume_command}",
        )
    staging = Staging(store, uttrekk.place, require_landed(uttrekk))
    return make_pieces(store, uttrekk, staging, plan, [piece])[0].rows


def _planned(store: Store, uttrekk: Uttrekk, policy: Policy) -> tuple[Staging, BasePlan]:
    """The plan of an uttrekk's base, and what it is made of; nothing is written that is refused."""
    batches = require_landed(uttrekk)
    current = current_release(store)
    if not _may_be_of_others(uttrekk, policy):  # before anything is written, and once more after
        require_same_persons(store, current, uttrekk.question)
    if not policy.accept_contract:
        old = current.contract if current else None
        changes = changes_between(store, old, uttrekk.request.contract)
        require_compatible(changes, uttrekk)
    staging = Staging(store, uttrekk.place, batches)
    return staging, _plan(store, uttrekk, staging, policy)


def _plan(store: Store, uttrekk: Uttrekk, staging: Staging, policy: Policy) -> BasePlan:
    """The plan, made if there is none, or if batches have landed anew since."""
    plan = read_plan(store, uttrekk)
    if plan is not None and plan.staging != staging.fingerprint:
        set_aside(store, plan_key(uttrekk))
        plan = None
    if plan is None:
        return write_plan(store, uttrekk, staging, policy)
    if not policy.allow_incomplete:  # another policy may have let it through
        require_complete(plan.accounting, uttrekk)
    require_not_gone(uttrekk, plan.accounting, policy)
    require_whole(store, ((one.key, one) for entry in plan.tables.values() for one in entry.files))
    return plan


def _manifest(
    uttrekk: Uttrekk,
    tables: dict[str, TableEntry],
    base: Base,
    accounting: Accounting,
    measures: Measures,
) -> Manifest:
    request = uttrekk.request
    return Manifest(
        number="",
        created=datetime.now(UTC),
        kind=request.question.kind.name,
        uttrekk=uttrekk.name,
        environment=request.question.environment,
        rettighetspakke=request.question.rettighetspakke,
        parts=request.parts,
        parts_refused=request.parts_refused,
        contract=request.contract,
        contract_from=request.contract_from,
        sekvensnummer=uttrekk.sekvensnummer,
        tables=tables,
        accounting=accounting,
        incomplete=bool(accounting.failed or accounting.unexplained),
        previous=None,
        persons=tables["person"].rows,
        measures=measures,
        base=base,
    )


def _publish(store: Store, uttrekk: Uttrekk, manifest: Manifest, policy: Policy) -> Manifest:
    while True:
        # Another process may have made this very uttrekk's release since we began. Whoever does it
        # after this look takes the number that we are about to write: one of the two fails.
        newest = newest_number(store)
        done = _released(store, uttrekk)
        if done is not None:
            return done
        require_landed(uttrekk)  # nobody was erased since: whoever is, publishes
        if newest is not None:  # what it replaces is looked at, not what was there at first
            _require_may_replace(store, read_manifest(store, newest), uttrekk, manifest, policy)
        published = publish_after(store, newest, manifest)
        if published is not None:
            note_release(store, uttrekk, published)
            tally_of(store, published)  # the first sync would have to make it
            return published


def _require_may_replace(
    store: Store, before: Manifest, uttrekk: Uttrekk, after: Manifest, policy: Policy
) -> None:
    """See that readers lose nothing that nobody has agreed to."""
    if not has_same_persons(store, before, uttrekk.question):  # there is nothing to compare
        if not _may_be_of_others(uttrekk, policy):
            require_same_persons(store, before, uttrekk.question)
        return
    if policy.allow_fewer:
        return
    lost = before.persons - after.persons
    if after.kind == "liste":  # as many others make up for nobody
        lost = missing_persons(store, before, after)
    require_not_fewer(uttrekk, before, persons=after.persons, lost=lost, policy=policy)
    rows = {name: entry.rows for name, entry in after.tables.items()}
    require_rows(uttrekk, before.number, current_rows_of(before), rows, policy)


def _may_be_of_others(uttrekk: Uttrekk, policy: Policy) -> bool:
    """Whether it was agreed, now or when it was begun, that it replaces a release of others."""
    return policy.allow_other_kind or uttrekk.request.allow_other_kind


def _released(store: Store, uttrekk: Uttrekk) -> Manifest | None:
    """An uttrekk's release, if it has one; what a killed process left undone is done here."""
    number = uttrekk.release
    if number is not None:
        if not store.exists(manifest_key(number)):
            raise ConfigurationError(
                f"the uttrekk {uttrekk.name} became release {number}, which has been purged",
                "Start a new uttrekk under another name",
            )
        return read_manifest(store, number)
    manifest = release_of_base(store, base_folder(uttrekk.name))  # deltas may have followed
    if manifest is not None:
        note_release(store, uttrekk, manifest)
    return manifest
