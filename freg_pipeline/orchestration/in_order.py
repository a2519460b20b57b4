"""A page of what is wrong, as a check of the release: what is late, fails or waits for a person.

Run it on Dagster's page, where it needs no sensor and no daemon; ``freg status`` says the same.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Sequence

import dagster as dg

from freg_pipeline.alerts.incidents import Sign
from freg_pipeline.journal.releases import current_release
from freg_pipeline.orchestration.failing import Ours
from freg_pipeline.orchestration.resources import freg_of
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.trouble import look
from freg_pipeline.orchestration.unreleased import nothing_to_check
from freg_pipeline.outside import masked

NAME = "in_order"


def in_order_check(ours: Ours) -> dg.AssetChecksDefinition:
    """A check of the asset ``release``.

    Args:
        ours: what in the deployment it looks at.
    """
    names = ours.names

    @dg.asset_check(
        asset=names.key("release"),
        name=NAME,
        required_resource_keys={names.resource},
        description=(
            "Nothing is late, has failed or waits for a person. Execute it to see what is wrong"
            " now, since when, and what to do."
        ),
    )
    @in_our_words
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        """Look at everything. Warns, and stops nothing."""
        freg = freg_of(context, names)
        signs = look(context.instance, ours, freg).signs
        if not signs and current_release(freg.store) is None:
            (said,) = nothing_to_check([dg.AssetCheckKey(names.key("release"), NAME)])
            return said
        return dg.AssetCheckResult(
            passed=not signs,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(signs)} to see to" if signs else "Everything is in order",
            metadata={"what": dg.MetadataValue.md(_page(signs))} if signs else {},
        )

    return check


def _page(signs: Sequence[Sign]) -> str:
    rows = [
        f"| {_cell(one.what)} | {one.at:%Y-%m-%d %H:%M} UTC | {_cell(one.remedy)} |"
        for one in sorted(signs, key=lambda one: one.at)
    ]
    return "\n".join(["| what | when | what to do |", "| --- | --- | --- |", *rows])


def _cell(text: str) -> str:
    return masked(" ".join(text.split())).replace("|", "\\|").replace("<", "&lt;")
