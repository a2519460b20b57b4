"""A release's manifest: what lies in the store is all of it."""

from __future__ import annotations

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.stored_manifests import StoredManifest, _BasePart


def test_every_field_of_a_manifest_is_kept() -> None:
    """What releases share lies apart; the rest must be named again, and is lost where it isn't."""
    kept = {*StoredManifest.__struct_fields__, *_BasePart.__struct_fields__}
    assert kept - {"borrowed"} == set(Manifest.__struct_fields__)  # follows from its files
