"""What must hold of each table, as checks of its asset: derived from the contract, counts only.

Each can be run alone, from the table's page; all of them are run each night. A release that is
published is checked as a whole (``release_checks``), which records what has failed at the table.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections import defaultdict
from collections.abc import Iterable, Iterator

import dagster as dg

from freg_pipeline.contract import Plan
from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.checks import (
    DESCRIPTIONS,
    OF_TABLES,
    Check,
    CheckResult,
    run_checks,
    table_checks,
)
from freg_pipeline.orchestration.common import Job
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import freg_of
from freg_pipeline.orchestration.tables import table_key
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.unreleased import nothing_to_check
from freg_pipeline.orchestration.workers import Workers


def checks_of_tables(names: Names, plan: Plan) -> dg.AssetChecksDefinition:
    """The checks of all tables of a contract."""

    @dg.multi_asset_check(
        name=names.of("table_checks"),
        specs=[
            dg.AssetCheckSpec(name, asset=table_key(names, table), description=DESCRIPTIONS[name])
            for table, name in dict.fromkeys((one.table, one.name) for one in table_checks(plan))
        ],
        can_subset=True,
        required_resource_keys={names.resource},
    )
    @in_our_words
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        """Run those that are selected, over the current release."""
        store, selected = freg_of(context, names).store, context.selected_asset_check_keys
        if current_release(store) is None:
            yield from nothing_to_check(selected)
            return

        def wanted(check: Check) -> bool:
            return _key(names, check) in selected

        found: dict[dg.AssetCheckKey, list[CheckResult]] = defaultdict(list)
        for result in run_checks(store, wanted=wanted):
            found[_key(names, result.check)].append(result)
        for key in sorted(selected):
            yield result_of(key, found[key])

    return checks


def result_of(key: dg.AssetCheckKey, results: list[CheckResult]) -> dg.AssetCheckResult:
    """What a check has found, over all columns that it looks at.

    Without any it passes: relations, say, are looked after in a release of everyone only.
    """
    failed = [result for result in results if not result.passed]
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not failed,
        severity=severity(results),
        metadata={"checked": len(results), **by_place(failed)},
    )


def by_place(failed: Iterable[CheckResult]) -> dict[str, int]:
    """How much was found of what failed, where, beside what was expected."""
    return {
        f"{result.check.place}: expected {result.expected}, found": result.found
        for result in failed
    }


def severity(results: Iterable[CheckResult]) -> dg.AssetCheckSeverity:
    """Whether a failure means wrong tables, or something to look at."""
    warns = all(result.check.severity == "warn" for result in results)
    return dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR


def failures(names: Names, results: Iterable[CheckResult]) -> Iterator[dg.AssetCheckEvaluation]:
    """What records at each table the checks of it that have failed."""
    found: dict[dg.AssetCheckKey, list[CheckResult]] = defaultdict(list)
    for result in results:
        if result.check.name in OF_TABLES:
            found[_key(names, result.check)].append(result)
    for key, of_key in found.items():
        told = result_of(key, of_key)
        if not told.passed:
            yield dg.AssetCheckEvaluation(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=False,
                severity=told.severity,
                metadata=told.metadata,
            )


def table_checks_job(names: Names, checks: dg.AssetChecksDefinition, workers: Workers) -> Job:
    """What runs the checks of all tables."""
    return dg.define_asset_job(
        names.of("check_tables"),
        selection=dg.AssetSelection.checks(*checks.check_keys),
        **workers.place("check_tables"),
        description="Checks every table of the current release.",
    )


def _key(names: Names, check: Check) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(table_key(names, check.table), check.name)
