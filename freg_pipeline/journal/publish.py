"""Publish a release: its manifest is written once, under the number after the newest one."""

from __future__ import annotations

import logging

import msgspec

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import following, point_to_newest
from freg_pipeline.journal.stored_manifests import write_manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import Store, write_record

logger = logging.getLogger(__name__)


def publish_after(store: Store, newest: str | None, manifest: Manifest) -> Manifest | None:
    """Publish a release as the one after the newest, and make it current.

    Args:
        store: where it goes.
        newest: the number of the newest release when it was decided what to publish.
        manifest: the release; its number and what it follows are set here.

    Returns:
        The release as published. None: another one has been published since.
    """
    numbered = msgspec.structs.replace(manifest, number=following(newest), previous=newest)
    if not write_manifest(store, numbered):
        return None
    point_to_newest(store)
    logger.info(
        "release %s is published: %d persons, good to sequence number %d",
        numbered.number, numbered.persons, numbered.sekvensnummer,
    )  # fmt: skip
    return numbered


def note_release(
    store: Store, uttrekk: Uttrekk, manifest: Manifest, *, just_published: bool = False
) -> None:
    """See that a release is current or older than that, and note it with its uttrekk.

    Args:
        store: where they lie.
        uttrekk: what became it.
        manifest: the release.
        just_published: by :func:`publish_after`, which has seen to that.
    """
    if not just_published:
        point_to_newest(store)
    write_record(store, uttrekk.release_key, {"release": manifest.number})
    uttrekk.close()
