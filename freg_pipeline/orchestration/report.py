"""The page about the current release, as an asset: made when asked for, kept with the release."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.journal.pointer import report_key
from freg_pipeline.journal.releases import require_current
from freg_pipeline.orchestration.common import OWNERS
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import freg_of
from freg_pipeline.orchestration.telling import in_our_words


def report_asset(names: Names) -> dg.AssetsDefinition:
    """The page about the current release."""

    @dg.asset(
        key=names.key("release_rapport"),
        deps=[names.key("release"), names.key("hendelser")],
        group_name=names.of("readers"),
        kinds={"report"},
        owners=OWNERS,
        required_resource_keys={names.resource},
        description=(
            "A page about the current release, for those who answer for it: one HTML file, kept"
            " beside the release's manifest and purged with it. It holds figures, and none that"
            " points at a person."
        ),
    )
    @in_our_words
    def release_rapport(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Write the page anew."""
        # What draws its pictures is for this step only.
        from freg_pipeline.report.page import page_of

        store = freg_of(context, names).store
        manifest = require_current(store)
        key = report_key(manifest.number)
        content = page_of(store, manifest).encode()
        store.replace(key, content)
        return dg.MaterializeResult(
            metadata={
                "release": manifest.number,
                "path": dg.MetadataValue.path(f"{store.location}/{key}"),
                "bytes": len(content),
            }
        )

    return release_rapport
