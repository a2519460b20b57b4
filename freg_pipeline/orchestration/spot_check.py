"""A look-up of persons drawn at random: what events don't tell, as a check of the release."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.feed.spot_check import spot_check as compare
from freg_pipeline.journal.releases import current_release, require_current
from freg_pipeline.orchestration.common import Job
from freg_pipeline.orchestration.metadata import counts, fresh
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import freg_of
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.unreleased import nothing_to_check
from freg_pipeline.orchestration.workers import Workers

SPOT_CHECK = "spot_check"


class SpotCheckConfig(dg.Config):
    """How many persons are looked up."""

    persons: int = 200


def spot_check(names: Names) -> dg.AssetChecksDefinition:
    """A check of the asset ``release``."""

    @dg.asset_check(
        asset=names.key("release"),
        name=SPOT_CHECK,
        required_resource_keys={names.resource},
        description=(
            "Persons drawn at random are at the register as they are in the tables. The register"
            " has changed documents of very many persons without any event: a sync can't see that,"
            " and a new full load puts it right."
        ),
    )
    @in_our_words
    def check(
        context: dg.AssetCheckExecutionContext, config: SpotCheckConfig
    ) -> dg.AssetCheckResult:
        """Look persons up at random and compare. Counts by table; warns, and stops nothing."""
        freg = freg_of(context, names)
        if current_release(freg.store) is None:
            (said,) = nothing_to_check([dg.AssetCheckKey(names.key("release"), SPOT_CHECK)])
            return said
        checked = freg.ask(
            lambda register: compare(freg.store, register, freg.settings, config.persons)
        )
        found = checked.found
        return dg.AssetCheckResult(
            passed=not found.persons,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                **counts(
                    asked=checked.asked,
                    compared=found.compared,
                    changed=checked.changed,
                    failed=found.failed,
                    differing=found.persons,
                ),
                **{f"differing/{name}": count for name, count in sorted(found.tables.items())},
                **fresh(require_current(freg.store)),
            },
        )

    return check


def spot_check_job(names: Names, workers: Workers) -> Job:
    """What runs that check alone."""
    check = dg.AssetCheckKey(names.key("release"), SPOT_CHECK)
    return dg.define_asset_job(
        names.of("spot_check"),
        selection=dg.AssetSelection.checks(check),
        **workers.place("spot_check"),
        description="Looks persons up at random and compares them with the tables.",
    )
