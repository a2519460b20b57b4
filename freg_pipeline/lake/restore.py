"""Make an earlier release current again: the way back from one that was published by mistake."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from string import ascii_lowercase

import msgspec

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pins import pin, unpin
from freg_pipeline.journal.pointer import current_number, newest_number
from freg_pipeline.journal.publish import publish_after
from freg_pipeline.journal.releases import read_manifest
from freg_pipeline.store import Store


def restore(store: Store, number: str) -> Manifest:
    """Publish an earlier release's content once more, as the newest release.

    Its files are named, not copied. A sync goes on from its position in the event list.

    Args:
        store: where it lies.
        number: the earlier release.

    Returns:
        The release that is current then.

    Raises:
        ConfigurationError: there is no such release, or it is the current one.
        DamagedError: a file of it isn't as it was written.
    """
    # Letters only: digits could look like somebody's number.
    mine = "".join(secrets.choice(ascii_lowercase) for _ in range(16))
    name = pin(store, number, f"restore-{mine}")  # no purge takes its files away
    try:
        manifest = read_manifest(store, number)
        if manifest.number == current_number(store):
            raise ConfigurationError(
                f"release {manifest.number} is the current one", "See freg release list"
            )
        require_whole(store, ((file.key, file) for file in manifest.files()))
        again = msgspec.structs.replace(manifest, created=datetime.now(UTC))
        published = None
        while published is None:
            published = publish_after(store, newest_number(store), again)
        return published
    finally:
        unpin(store, name)
