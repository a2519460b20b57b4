"""Parquet files in the store: put there once and whole, and checked whenever they are read again.

What a reading leads to is written: a release, a delta, a new base. So a file is read by its SHA-256
where all of it is needed, and by the digest of its footer and Parquet's own page checksums where
single row groups are. DuckDB checks neither: see :func:`require_whole`.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.errors import ObjectMissingError, StoreError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.journal.files import KeptFile, damaged
from freg_pipeline.store import Store
from freg_pipeline.store.overlap import ahead
from freg_pipeline.store.remembered import WHOLE_BYTES
from freg_pipeline.store.scratch import scratch_here

_IN_MEMORY = 64 * 1024**2  # bytes: smaller files are held
_SENT_UNLOOKED = 8 * 1024**2  # bytes
_PIECE = 1 << 20
_MAGIC = b"PAR1"
_TRAILER = 8  # the footer's length in 4 bytes, and the magic
_TAIL = 32 * 1024  # bytes that are read at once to find a footer


def keep(store: Store, key: str, path: Path) -> KeptFile:
    """Put a finished file into the store; return what is there now.

    A file of that name is there already if a build was killed, or if another worker builds the
    same. It was made of the same rows: it stays, since the other one may be published. But one that
    is damaged, or in the form of another version of this software, goes.
    """
    schema = pq.read_schema(path)
    with path.open("rb") as file:
        entry = _print(hashlib.file_digest(file, "sha256").hexdigest(), pa.OSFile(str(path)))
    if not _is_looked_for(store, entry) and store.put_file(key, path):
        return entry
    if store.exists(key):
        there = store.read(key)
        digest = hashlib.sha256(there).hexdigest()
        if digest == entry.sha256:
            return entry
        if _is_as_good(there, entry.rows, schema):
            return _print(digest, pa.BufferReader(there))
        store.delete(key)
    if store.put_file(key, path):
        return entry
    there = store.read(key)
    return _print(hashlib.sha256(there).hexdigest(), pa.BufferReader(there))


def _is_looked_for(store: Store, file: KeptFile) -> bool:
    """Whether a look is cheaper than a write that finds the name taken."""
    return store.at_once == 1 or file.bytes > _SENT_UNLOOKED


def open_whole(store: Store, key: str, file: KeptFile) -> pa.NativeFile:
    """Open a file of which all will be read, once it is known to be as it was written.

    What lies elsewhere is fetched once: a large file into a local one that is gone when it is
    closed.

    Raises:
        DamagedError: it isn't, or is gone.
        StoreError: it can't be read.
    """
    if file.bytes > _IN_MEMORY:
        if store.filesystem.type_name != "local":
            return _fetched(store, key, file)
        require_whole(store, [(key, file)])
        return _open(store, key)
    with _reading(store, key), store.open_file(key, file.bytes) as opened:
        content = opened.read_buffer()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise damaged(store, key)
    return pa.BufferReader(content)


def recall_whole(store: Store, key: str, file: KeptFile) -> None:
    """Have a store that is far away remember a small file, for whoever reads it next."""
    if file.bytes <= WHOLE_BYTES:
        with _reading(store, key):
            store.open_file(key, file.bytes).close()


def _fetched(store: Store, key: str, file: KeptFile) -> pa.NativeFile:
    """A whole file's local copy: private, and without a name once it is open."""
    digest = hashlib.sha256()
    with scratch_here() as folder:
        copy = folder / "copy"
        with copy.open("wb") as written:
            for piece in _pieces(store, key):
                digest.update(piece)
                written.write(piece)
        if digest.hexdigest() != file.sha256:
            raise damaged(store, key)
        return pa.OSFile(str(copy))


def read_parts(
    store: Store,
    key: str,
    file: KeptFile,
    columns: list[str],
    groups: Callable[[pq.FileMetaData], list[int]],
) -> pa.Table:
    """The rows of some row groups, once all that was read is known to be as it was written.

    Args:
        store: where it lies.
        key: which file.
        file: as it was written.
        columns: which of them.
        groups: which row groups, by the footer.

    Raises:
        DamagedError: it isn't as it was written, or is gone.
        StoreError: it can't be read.
    """
    with _reading(store, key):
        opened = store.open_file(key, file.bytes)
    with opened:
        metadata = _metadata(store, key, file, opened)
        parquet = pq.ParquetFile(
            opened, metadata=metadata, page_checksum_verification=True, pre_buffer=True
        )
        try:
            return parquet.read_row_groups(groups(metadata), columns=columns)
        except (OSError, pa.ArrowException) as error:
            require_whole(store, [(key, file)])
            raise StoreError(
                f"{key} in {store.location} can't be read: {type(error).__name__}", "Try again"
            ) from error


def footer_of(store: Store, key: str, file: KeptFile) -> pq.FileMetaData:
    """What a file's footer tells, once that is known to be as it was written.

    Raises:
        DamagedError: it isn't, or the file is gone.
        StoreError: it can't be read.
    """
    with _reading(store, key):
        opened = store.open_file(key, file.bytes)
    with opened:
        return _metadata(store, key, file, opened)


def _metadata(store: Store, key: str, file: KeptFile, opened: pa.NativeFile) -> pq.FileMetaData:
    footer = _footer(opened)
    if footer is None or _footer_digest(footer) != file.footer:
        raise damaged(store, key)
    return pq.read_metadata(pa.BufferReader(_MAGIC + footer))


def require_whole(store: Store, files: Iterable[tuple[str, KeptFile]]) -> None:
    """See that files are as they were written, before something reads them that doesn't look.

    Of a store that is far away several come at once, and small ones are remembered for what reads
    them next.

    Raises:
        DamagedError: one isn't, or is gone.
    """

    def looked_at(one: tuple[str, KeptFile]) -> tuple[str, str | None]:
        key, file = one
        return key, difference(store, key, file)

    for key, told in ahead(store, looked_at, files):
        if told is not None:
            raise damaged(store, key)


def difference(store: Store, key: str, file: KeptFile) -> str | None:
    """How a file differs from what was written; None: in nothing.

    Raises:
        DamagedError: it is gone.
        StoreError: it can't be read.
    """
    digest = hashlib.sha256()
    size = 0
    is_small_and_far = store.at_once > 1 and file.bytes <= WHOLE_BYTES
    for piece in [_read(store, key)] if is_small_and_far else _pieces(store, key):
        digest.update(piece)
        size += len(piece)
    if size != file.bytes:
        return f"it has {size} bytes, and was written with {file.bytes}"
    return None if digest.hexdigest() == file.sha256 else "its content has changed"


def read_ranges(store: Store, key: str, ranges: Iterable[tuple[int, int]]) -> list[bytes]:
    """Bytes of an object, each from a place up to another; fewer where it ends before that.

    Raises:
        DamagedError: it is gone.
        StoreError: it can't be read.
    """
    with _reading(store, key):
        return store.read_ranges(key, ranges)


def _read(store: Store, key: str) -> bytes:
    """A whole object as it lies in the store now, by one request."""
    try:
        return store.read(key)
    except ObjectMissingError:
        raise damaged(store, key, "gone") from None


def _pieces(store: Store, key: str) -> Iterator[bytes]:
    with _open(store, key) as opened:
        while True:
            with _reading(store, key):
                piece = opened.read(_PIECE)
            if not piece:
                return
            yield piece


def _open(store: Store, key: str) -> pa.NativeFile:
    with _reading(store, key):
        return store.filesystem.open_input_file(store.path(key))


@contextlib.contextmanager
def _reading(store: Store, key: str) -> Iterator[None]:
    """Tell what can't be read from what is gone."""
    try:
        yield
    except FileNotFoundError:
        raise damaged(store, key, "gone") from None
    except OSError as error:
        raise foreseen(error) or StoreError(
            f"{key} in {store.location} can't be read: {_reason(error)}",
            "See what freg check says about the store, and try again",
        ) from error


def _reason(error: OSError) -> str:
    """What S3 says, of which pyarrow makes one text; else the kind of error."""
    said = re.search(r"AWS Error ([A-Z_]+)", str(error))
    return said[1] if said else type(error).__name__


def _print(sha256: str, file: pa.NativeFile) -> KeptFile:
    """What is kept of a file that is whole."""
    with file:
        rows = pq.read_metadata(file).num_rows
        footer = _footer(file) or b""
        return KeptFile(rows=rows, bytes=file.size(), sha256=sha256, footer=_footer_digest(footer))


def _footer(file: pa.NativeFile) -> bytes | None:
    """A Parquet file's footer with its length and the magic; None: it has none."""
    size = file.size()
    start = max(size - _TAIL, 0)
    tail: bytes = file.read_at(size - start, start)
    length = int.from_bytes(tail[-_TRAILER:-4], "little") + _TRAILER
    if len(tail) < _TRAILER or length > size:
        return None
    if length > len(tail):
        tail = file.read_at(length, size - length)
    return tail[-length:]


def _footer_digest(footer: bytes) -> str:
    return hashlib.sha256(footer).hexdigest()[:16]


def _is_as_good(there: bytes, rows: int, schema: pa.Schema) -> bool:
    """Whether a file can be read to its end, and holds as many rows of the same columns."""
    try:
        file = pq.ParquetFile(pa.BufferReader(there), page_checksum_verification=True)
        read = sum(batch.num_rows for batch in file.iter_batches())
    except (OSError, pa.ArrowException):
        return False
    return bool(read == rows and file.schema_arrow.equals(schema))
