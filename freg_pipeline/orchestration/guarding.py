"""What keeps a release from being published, as blocking checks. The domain decides; this shows it.

The rules hold inside of publishing, wherever it is done: a check of Dagster's own could only come
after it. Each rule's error becomes a failed check of the asset that would have published.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import dagster as dg

from freg_pipeline.errors import ContractError, FregError, IncompleteError
from freg_pipeline.lake.guards import FewerError, OtherKindError, RowsChangedError
from freg_pipeline.orchestration.runs import mark_refused

T = TypeVar("T")

# By a check's name: the errors that fail it, and what holds where it passes.
Rules = dict[str, tuple[type[FregError] | tuple[type[FregError], ...], str]]

RELEASE_RULES: Rules = {  # the narrower class first
    "same_kind": (
        OtherKindError,
        "It is of the same kind and selection as the release before, or somebody has agreed.",
    ),
    "not_far_fewer": (
        FewerError,
        "It doesn't hold far fewer persons, or rows of a table, than the release before.",
    ),
    "accounted_for": (
        IncompleteError,
        "Every identifier is accounted for, and none failed.",
    ),
    "contract_compatible": (
        ContractError,
        "Queries written for the release before work on it.",
    ),
}
# One check for a sync, which there may be each minute: a result is four records of 1.5 kB.
SYNC_RULES: Rules = {
    "publishable": (
        (OtherKindError, FewerError, IncompleteError, ContractError),
        "It may take the place of the release before: of the same kind, not far fewer persons, all"
        " accounted for, and queries written for the release before work on it.",
    ),
}
COMPACTION_RULES: Rules = {
    "rows_kept": (RowsChangedError, "Each table has as many rows for readers as before."),
}


def guard_specs(asset: dg.AssetKey, rules: Rules = RELEASE_RULES) -> list[dg.AssetCheckSpec]:
    """The checks of an asset that publishes."""
    return [
        dg.AssetCheckSpec(name, asset=asset, description=description, blocking=True)
        for name, (_, description) in rules.items()
    ]


def broken_by(error: FregError, rules: Rules = RELEASE_RULES) -> str | None:
    """The rule that an error is about; None: none."""
    return next((name for name, (kind, _) in rules.items() if isinstance(error, kind)), None)


def guarded(
    context: dg.AssetExecutionContext,
    asset: dg.AssetKey,
    publish: Callable[[], T],
    rules: Rules = RELEASE_RULES,
) -> Generator[dg.AssetCheckResult | dg.MaterializeResult[None], None, T]:
    """Publish, and yield what became of each rule: passed, or the one that failed.

    Raises:
        FregError: as ``publish`` raises it, once the failed check is told.
    """
    try:
        published = publish()
    except FregError as error:
        name = broken_by(error, rules)
        if name is not None:
            mark_refused(context, name)
            yield _result(asset, name, str(error))
            yield from _not_looked_at(asset, name, rules)
        raise
    for name in rules:
        yield _result(asset, name)
    return published


def _not_looked_at(asset: dg.AssetKey, broken: str, rules: Rules) -> Iterator[dg.AssetCheckResult]:
    """What is told of the other rules: without a result they would show as failed, too."""
    for name in rules:
        if name != broken:
            why = f"nobody looked, since {broken} had kept the release back"
            yield _result(asset, name, why, dg.AssetCheckSeverity.WARN)


def _result(
    asset: dg.AssetKey,
    name: str,
    why: str | None = None,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Passed, or else why it failed."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=why is None,
        severity=severity,
        metadata={} if why is None else {"why": why},
    )
