"""Releases: one manifest names all files of all tables, one pointer names the manifest.

Readers see a whole release or the one before. Publishing is safe to repeat at any point: an uttrekk
becomes one release, whoever finishes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pyarrow.parquet as pq

from freg_pipeline.errors import ConfigurationError, FregError, ObjectMissingError
from freg_pipeline.extract.uttrekk import Uttrekk
from freg_pipeline.lake.accounting import Accounting, account
from freg_pipeline.lake.base import BaseFile, BaseWriter, TableEntry
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.drift import changes_between, require_compatible
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.resolve import resolve
from freg_pipeline.lake.staging import Staging
from freg_pipeline.store import Store

POINTER = "releases/current.json"


class Manifest(msgspec.Struct, frozen=True):
    """What a release is.

    Attributes:
        number: its name: ``000001``, ascending.
        created: when (UTC).
        kind: komplett or tilpasset.
        uttrekk: the uttrekk that it was made of.
        environment: which register.
        rettighetspakke: the package of rights.
        parts: the ``part``s that were asked for.
        contract: fingerprint of the contract; ``contracts/<fingerprint>.xsd`` holds it.
        sekvensnummer: the event list's position that the tables are good to.
        tables: every table with its files, rows and hashes.
        accounting: what became of the identifiers delivered.
        incomplete: something failed or is unexplained, and it was released all the same.
        previous: the release that was current before.
    """

    number: str
    created: datetime
    kind: str
    uttrekk: str
    environment: str
    rettighetspakke: str
    parts: tuple[str, ...]
    contract: str
    sekvensnummer: int
    tables: dict[str, TableEntry]
    accounting: Accounting
    incomplete: bool
    previous: str | None


class _Pointer(msgspec.Struct, frozen=True):
    release: str


def build_release(
    store: Store,
    uttrekk: Uttrekk,
    *,
    allow_incomplete: bool = False,
    accept_contract: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Manifest:
    """Make an uttrekk's release and publish it; one that is made already is returned.

    What is published last is current, also where its sekvensnummer is lower than that of the
    release before: whoever orders an uttrekk wants to see it.

    Args:
        store: where the batches lie and the release goes.
        uttrekk: whose release; all its batches have landed.
        allow_incomplete: publish although something failed or is unexplained.
        accept_contract: publish although the contract has changed so that queries break.
        progress: told how many more tables are written, those without rows among them.

    Raises:
        ContractError: the contract has changed so that queries break.
        IncompleteError: something failed or is unexplained; readers keep the release before.
        FregError: not all batches have landed.
    """
    done = _released(store, uttrekk)
    if done is not None:
        return done
    batches = _landed_batches(uttrekk)
    if not accept_contract:
        current = current_release(store)
        old = current.contract if current else None
        changes = changes_between(store, old, uttrekk.request.contract)
        require_compatible(changes, uttrekk.name)
    told = progress or (lambda _: None)
    tables, accounting = _build(
        store, uttrekk, batches, allow_incomplete=allow_incomplete, progress=told
    )
    return _publish(store, uttrekk, tables, accounting)


def _landed_batches(uttrekk: Uttrekk) -> list[int]:
    """The batches, all of which have landed: each one counts, so that none is passed over."""
    end = uttrekk.end
    landed = uttrekk.landed()
    if end is None or not landed.issuperset(range(end)):
        raise FregError(
            f"the uttrekk {uttrekk.name} has landed {len(landed)} of "
            f"{'its' if end is None else end} batches",
            f"Go on with it: freg uttrekk resume {uttrekk.name}",
        )
    return list(range(end))


def _build(
    store: Store,
    uttrekk: Uttrekk,
    batches: list[int],
    *,
    allow_incomplete: bool,
    progress: Callable[[int], None],
) -> tuple[dict[str, TableEntry], Accounting]:
    staging = Staging(store, uttrekk.name, batches)
    delivered = sum(len(uttrekk.identifiers(batch)) for batch in batches)
    with store.scratch() as folder, working_database(folder) as connection:
        resolve(connection, staging)
        if not allow_incomplete:  # what failed is known before anything is written
            persons = connection.execute("SELECT count(*) FROM landed").fetchall()[0][0]
            early = account(connection, delivered=delivered, landed=persons)
            early.require_complete(uttrekk.name, uttrekk.request.kind)
        plan = load_plan(store, uttrekk.request.contract)
        tables = BaseWriter(store, uttrekk, staging, connection, plan).write(progress)
        accounting = account(connection, delivered=delivered, landed=tables["person"].rows)
    if not allow_incomplete:
        accounting.require_complete(uttrekk.name, uttrekk.request.kind)
    return tables, accounting


def _publish(
    store: Store, uttrekk: Uttrekk, tables: dict[str, TableEntry], accounting: Accounting
) -> Manifest:
    request = uttrekk.request
    manifest = Manifest(
        number=_next_number(store),
        created=datetime.now(UTC),
        kind=request.kind,
        uttrekk=uttrekk.name,
        environment=request.environment,
        rettighetspakke=request.rettighetspakke,
        parts=request.parts,
        contract=request.contract,
        sekvensnummer=request.sekvensnummer,
        tables=tables,
        accounting=accounting,
        incomplete=bool(accounting.failed or accounting.unexplained),
        previous=current_number(store),
    )
    while True:
        # Another process may have made this very uttrekk's release since we began. Whoever does it
        # after this look takes the number that we are about to write: one of the two fails.
        done = _released(store, uttrekk)
        if done is not None:
            return done
        if store.write(_manifest_key(manifest.number), msgspec.json.encode(manifest)):
            break
        manifest = msgspec.structs.replace(
            manifest, number=_next_number(store), previous=current_number(store)
        )
    _point(store, uttrekk, manifest)
    return manifest


def _point(store: Store, uttrekk: Uttrekk, manifest: Manifest) -> None:
    """Make a release current, and note with its uttrekk that this is done.

    The pointer goes to the newest release there is, and is looked at once more after it was
    written: of two who publish at the same time, the slower one could have set it back.
    """
    while (current_number(store) or "") < (newest := _numbers(store)[-1]):
        store.replace(POINTER, msgspec.json.encode(_Pointer(newest)))
    store.write(uttrekk.release_key, msgspec.json.encode({"release": manifest.number}))


def _released(store: Store, uttrekk: Uttrekk) -> Manifest | None:
    """An uttrekk's release, if it has one; what a killed process left undone is done here."""
    number = uttrekk.release
    if number is not None:
        if not store.exists(_manifest_key(number)):
            raise ConfigurationError(
                f"the uttrekk {uttrekk.name} became release {number}, which has been purged",
                "Begin a new uttrekk, under another name",
            )
        return read_manifest(store, number)
    for manifest in reversed(list_releases(store)):
        if manifest.uttrekk == uttrekk.name:
            _point(store, uttrekk, manifest)
            return manifest
    return None


def _manifest_key(number: str) -> str:
    return f"releases/{number}/manifest.json"


def _numbers(store: Store) -> list[str]:
    keys = store.list("releases/")
    return sorted(key.split("/")[1] for key in keys if key.endswith("/manifest.json"))


def _next_number(store: Store) -> str:
    numbers = _numbers(store)
    return f"{int(numbers[-1]) + 1 if numbers else 1:06d}"


def current_number(store: Store) -> str | None:
    """The number of the current release; None before the first."""
    try:
        return msgspec.json.decode(store.read(POINTER), type=_Pointer).release
    except ObjectMissingError:
        return None


def current_release(store: Store) -> Manifest | None:
    """The release that readers see; None before the first."""
    number = current_number(store)
    return None if number is None else read_manifest(store, number)


def require_current(store: Store) -> Manifest:
    """The release that readers see.

    Raises:
        ConfigurationError: there is none yet.
    """
    manifest = current_release(store)
    if manifest is None:
        raise ConfigurationError(
            f"{store.location} holds no release yet",
            "Make one: freg uttrekk komplett, or freg demo",
        )
    return manifest


def read_manifest(store: Store, number: str) -> Manifest:
    """A release by its number, with or without the zeros before it.

    Raises:
        ConfigurationError: there is no such release.
    """
    number = _written_out(number)
    try:
        return msgspec.json.decode(store.read(_manifest_key(number)), type=Manifest)
    except ObjectMissingError:
        raise ConfigurationError(
            f"there is no release of that number in {store.location}", "See freg release list"
        ) from None


def _written_out(number: str) -> str:
    """``000001`` for ``1``; what is no number stays as it is, and names no release."""
    return number.zfill(6) if number.isascii() and number.isdigit() else "none"


def list_releases(store: Store) -> list[Manifest]:
    """All releases, the oldest first."""
    return [read_manifest(store, number) for number in _numbers(store)]


def verify(store: Store, number: str | None = None) -> list[str]:
    """Return a line for each file of a release that is not as it was written.

    Args:
        store: where it lies.
        number: which release; None: the current one.

    Raises:
        ConfigurationError: there is no such release.
    """
    manifest = require_current(store) if number is None else read_manifest(store, number)
    found = [
        (file.key, _problem(store, file))
        for entry in manifest.tables.values()
        for file in entry.files
    ]
    return [f"{key}: {problem}" for key, problem in found if problem]


def _problem(store: Store, file: BaseFile) -> str | None:
    try:
        with store.filesystem.open_input_stream(store.path(file.key)) as stream:
            digest = hashlib.sha256()
            size = 0
            while piece := stream.read(1 << 20):
                digest.update(piece)
                size += len(piece)
    except FileNotFoundError:
        return "it is gone"
    if size != file.bytes:
        return f"it has {size} bytes, and was written with {file.bytes}"
    if digest.hexdigest() != file.sha256:
        return "its content has changed"
    with store.filesystem.open_input_file(store.path(file.key)) as opened:
        rows = pq.ParquetFile(opened).metadata.num_rows
    return None if rows == file.rows else f"it has {rows} rows, and was written with {file.rows}"


def purge(store: Store, number: str | None = None, *, keep: int | None = None) -> list[str]:
    """Remove releases, and the files that no release left names. Never the current one.

    A release's manifest goes before its files: a reader finds it whole, or not at all. Files that
    a killed purge left are removed by the next one, also when it is asked for the same release
    again. The raw answers of its uttrekk stay.

    Args:
        store: where they lie.
        number: which release.
        keep: in place of a number: all but so many of the newest.

    Returns:
        The numbers of the releases removed.

    Raises:
        ConfigurationError: the release is the current one, or there is none of that number.
    """
    manifests = {manifest.number: manifest for manifest in list_releases(store)}
    current = current_number(store)
    if number is not None:
        number = _written_out(number)
        if number == current:
            raise ConfigurationError(
                f"release {number} is the current one", "Publish another one first"
            )
        if number not in manifests:
            if _sweep(store):
                return [number]
            read_manifest(store, number)  # says that there is none
        going = [number]
    else:
        kept = sorted(manifests)[-(keep or 1) :]
        going = [one for one in sorted(manifests) if one not in kept and one != current]
    for one in going:
        store.delete(_manifest_key(one))
    _sweep(store)
    return going


def _sweep(store: Store) -> int:
    """Remove the base files of released uttrekk that no manifest names any more; return how many.

    Also what a purge left that was killed between a manifest and its files. The files of an uttrekk
    that has no release yet are being written by someone.
    """
    named = {
        file.key
        for manifest in list_releases(store)
        for entry in manifest.tables.values()
        for file in entry.files
    }
    kept = {key.split("/")[1] for key in named}
    left = [key for key in store.list("bases/") if key.split("/")[1] not in kept]
    released = {name: Uttrekk(store, name).release is not None
                for name in {key.split("/")[1] for key in left}}  # fmt: skip
    going = [key for key in left if released[key.split("/")[1]]]
    for key in going:
        store.delete(key)
    return len(going)
