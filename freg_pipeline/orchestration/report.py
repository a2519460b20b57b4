"""The page about the current release, as an asset: made when asked for, kept with the release."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.journal.pointer import report_key
from freg_pipeline.journal.releases import require_current
from freg_pipeline.orchestration.common import OWNERS, FregResource
from freg_pipeline.orchestration.feed import hendelser
from freg_pipeline.orchestration.publishing import release
from freg_pipeline.orchestration.telling import in_our_words


@dg.asset(
    deps=[release, hendelser],
    group_name="lake",
    kinds={"html"},
    owners=OWNERS,
    description=(
        "A page about the current release, for those who answer for it: one HTML file, kept beside"
        " the release's manifest and purged with it. It holds figures, and none that points at a"
        " person."
    ),
)
@in_our_words
def release_rapport(freg: FregResource) -> dg.MaterializeResult[None]:
    """Write the page anew."""
    from freg_pipeline.report import page_of  # what draws its pictures is for this step only

    manifest = require_current(freg.store)
    key = report_key(manifest.number)
    content = page_of(freg.store, manifest).encode()
    freg.store.replace(key, content)
    return dg.MaterializeResult(
        metadata={
            "release": manifest.number,
            "path": dg.MetadataValue.path(f"{freg.store.location}/{key}"),
            "bytes": len(content),
        }
    )
