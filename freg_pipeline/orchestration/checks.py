"""Asset checks: what holds of every release, derived from the contract and the accounting.

Counts only: a value that fails is a person's, and has no place in metadata.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections import defaultdict
from collections.abc import Iterator

import dagster as dg

from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.checks import DESCRIPTIONS, CheckResult, run_checks
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import freg_of
from freg_pipeline.orchestration.table_checks import by_place, failures, severity
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.unreleased import nothing_to_check


def release_checks(names: Names) -> dg.AssetChecksDefinition:
    """The checks of the asset ``release``."""

    @dg.multi_asset_check(
        name=names.of("release_checks"),
        specs=[
            dg.AssetCheckSpec(name, asset=names.key("release"), description=description)
            for name, description in DESCRIPTIONS.items()
        ],
        can_subset=True,
        required_resource_keys={names.resource},
    )
    @in_our_words
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        """Check the current release; each check over all tables that it concerns.

        What fails of a table is recorded there, too.
        """
        store, selected = freg_of(context, names).store, context.selected_asset_check_keys
        if current_release(store) is None:
            yield from nothing_to_check(selected)
            return
        wanted = {key.name for key in selected}
        found: dict[str, list[CheckResult]] = defaultdict(list)
        results = run_checks(store, wanted=lambda check: check.name in wanted)
        for failure in failures(names, results):
            context.op_execution_context.log_event(failure)  # type: ignore[arg-type]
        for result in results:
            found[result.check.name].append(result)
        for name in sorted(wanted):
            yield _together(name, found[name])

    return checks


def _together(name: str, results: list[CheckResult]) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.passed]
    return dg.AssetCheckResult(
        check_name=name,
        passed=not failed,
        severity=severity(results),
        metadata={"checked": len(results), "failed": len(failed), **by_place(failed)},
    )
