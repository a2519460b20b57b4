"""A store on S3: one conditional PUT an object, so that of two writers one wins."""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from uuid import uuid4

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError

from freg_pipeline.errors import ObjectMissingError, StoreError
from freg_pipeline.store.overlap import Overlap
from freg_pipeline.store.readers import Reading
from freg_pipeline.store.remembered import EACH_BYTES, WHOLE_BYTES, Remembered
from freg_pipeline.store.s3_answers import S3Answers, status_of
from freg_pipeline.store.s3_session import AT_ONCE, S3Session
from freg_pipeline.store.scratch import scratch_here

_IS_THERE = 412  # Precondition Failed: an object of that name is there, and stays
_AT_ONCE_REMOVED = 1_000  # S3's own limit
_BEYOND = 416  # Range Not Satisfiable: it begins after the object's end
_SINGLE_PUT_LIMIT = 5 * 1024**3  # S3's own limit for one PUT, the only write that is conditional
_MARK = "freg-write"  # metadata of an object: which write it is of


class S3Store:
    """Objects under ``s3://bucket/prefix``; credentials and endpoint as boto3 finds them.

    Args:
        location: the address.
        endpoint: the service's address in place of what boto3 finds; None: that.
        reading: how readers get at the catalogue; who may read what lies on S3 is S3's matter.

    Raises:
        StoreError: it can't be used; says why.
    """

    at_once = AT_ONCE

    def __init__(
        self, location: str, *, endpoint: str | None, reading: Reading | None = None
    ) -> None:
        self.reading = reading or Reading()
        parsed = urlparse(location)
        self._bucket, self._prefix = parsed.netloc, parsed.path.strip("/")
        if not self._bucket:
            raise StoreError(
                "FREG_STORE has no bucket", "Write it as s3://bucket or s3://bucket/prefix"
            )
        self._answers = S3Answers(self.location)
        with self._answers.telling():
            self._session = S3Session(self._bucket, endpoint)
        self._client: Any = self._session.client
        self._remembered = Remembered()

    @property
    def location(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def filesystem(self) -> Any:
        """pyarrow's own S3 reader, by what boto3 found. Raises StoreError."""
        with self._answers.telling():
            return self._session.filesystem

    def path(self, key: str) -> str:
        """``bucket/prefix/key``."""
        return f"{self._bucket}/{self._key(key)}"

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        try:
            with self._answers.telling(key):
                self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        except ObjectMissingError:
            return False
        return True

    def read(self, key: str) -> bytes:
        """The whole object. Raises ObjectMissingError."""
        body = self._answers.settled(key, partial(self._got, key))
        self._remembered.put(key, body)
        return body

    def recall(self, key: str) -> bytes:
        """As :meth:`read`, of an object that is never replaced: what is known isn't asked for."""
        known = self._remembered.get(key)
        return self.read(key) if known is None else known

    def read_ranges(self, key: str, ranges: Iterable[tuple[int, int]]) -> list[bytes]:
        """Bytes of an object, each from a place up to another: a request each, unless it is known.

        Raises:
            FileNotFoundError: it isn't there.
        """
        known = self._remembered.get(key)
        if known is not None:
            return [known[start:end] for start, end in ranges]
        try:
            return [self._range(key, start, end) for start, end in ranges]
        except ObjectMissingError as error:
            raise FileNotFoundError(error.key) from None

    def _range(self, key: str, start: int, end: int) -> bytes:
        def some() -> bytes:
            try:
                return self._got(key, Range=f"bytes={start}-{end - 1}")
            except ClientError as error:
                if status_of(error) == _BEYOND:
                    return b""
                raise

        return self._answers.settled(key, some)

    def _got(self, key: str, **what: str) -> bytes:
        answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key), **what)
        try:
            body: bytes = answer["Body"].read()
        except BotoCoreError:  # boto3 tries again only until the first byte is here
            raise self._answers.unsettled(key, "read", "answers break off") from None
        return body

    def open_file(self, key: str, size: int) -> Any:
        """A table's file: as one request, where it is small; else as it is read, by pyarrow."""
        if size > WHOLE_BYTES:
            return self.filesystem.open_input_file(self.path(key))
        try:
            return pa.BufferReader(self.recall(key))
        except ObjectMissingError as error:
            raise FileNotFoundError(error.key) from None

    def write(self, key: str, data: bytes) -> bool:
        """Write an object once and whole. False: it was there already, and stays as it was."""
        written = self._put(key, data)
        if written:
            self._remembered.put(key, data)
        return written

    def put_file(self, key: str, source: Path) -> bool:
        """As :meth:`write`, from a local file, which is gone once it is written."""
        size = source.stat().st_size
        if size > _SINGLE_PUT_LIMIT:
            raise StoreError(
                f"{key} is too large for one PUT to S3", "Ask for fewer persons in one uttrekk"
            )
        if size <= EACH_BYTES:
            written = self.write(key, source.read_bytes())
        else:
            with source.open("rb") as file:
                written = self._put(key, file)
        if written:
            source.unlink()
        return written

    def replace(self, key: str, data: bytes) -> None:
        """Swap the object: S3 shows the old or the new one, never a part."""
        self._remembered.forget(key)
        put = partial(self._client.put_object, Bucket=self._bucket, Key=self._key(key), Body=data)
        self._answers.settled(key, put)

    def folders(self, prefix: str) -> list[str]:
        """The folders right under a folder (``prefix``, which ends in ``/``), by name, sorted."""
        pages = self._pages(Prefix=self._key(prefix), Delimiter="/")
        found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
        return sorted(one.removesuffix("/").rpartition("/")[2] for one in found)

    def list(self, prefix: str) -> list[str]:
        """All keys that begin with ``prefix``, sorted."""
        strip = len(self._prefix) + 1 if self._prefix else 0
        pages = self._pages(Prefix=self._key(prefix))
        found = sorted(item["Key"][strip:] for page in pages for item in page.get("Contents", []))
        if self._remembered.get(prefix) is not None:  # what is recalled is never older
            self._remembered.put(prefix, "\n".join(found).encode())
        return found

    def recall_list(self, folder: str) -> builtins.list[str]:
        """As :meth:`list`, of a folder: what is known isn't asked for."""
        known = self._remembered.get(folder)
        if known is not None:
            return known.decode().split("\n") if known else []
        found = self.list(folder)
        self._remembered.put(folder, "\n".join(found).encode())
        return found

    def _pages(self, **what: str) -> Iterator[Any]:
        with self._answers.telling():
            paginator = self._client.get_paginator("list_objects_v2")
            yield from paginator.paginate(Bucket=self._bucket, **what)

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        self._remembered.forget(key)
        delete = partial(self._client.delete_object, Bucket=self._bucket, Key=self._key(key))
        self._answers.settled(key, delete)

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove objects: many by one request, or, where a service doesn't do that, each."""
        left = [*keys]
        for key in left:
            self._remembered.forget(key)
        while left and self._removed(left[:_AT_ONCE_REMOVED]):
            left = left[_AT_ONCE_REMOVED:]
        with Overlap(self) as overlap:
            for key in left:
                overlap.begin(partial(self.delete, key))

    def _removed(self, keys: builtins.list[str]) -> bool:
        """Whether all of them could be removed by one request."""
        named = [{"Key": self._key(key)} for key in keys]
        try:
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": named, "Quiet": True}
            )
        except ClientError:  # each by itself says why, if it is no matter of how many
            return False
        return not answer.get("Errors")

    def open_to_readers(self) -> None:
        """Nothing: policies of the bucket say who may read."""

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A private local folder, gone afterwards."""
        return scratch_here()

    def sweep(self) -> None:
        """Nothing: what is under construction lies on the machine that makes it."""

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _put(self, key: str, body: Any) -> bool:
        where = {"Bucket": self._bucket, "Key": self._key(key)}
        mark = {_MARK: uuid4().hex}

        def once() -> bool:
            if not isinstance(body, bytes):
                body.seek(0)  # a try before may have read it
            try:
                self._client.put_object(**where, Body=body, IfNoneMatch="*", Metadata=mark)
            except ClientError as error:
                if status_of(error) == _IS_THERE:
                    return self._is_marked(key, mark)
                raise
            return True

        try:
            return self._answers.settled(key, once)
        finally:
            self._remembered.forget(key)

    def _is_marked(self, key: str, mark: dict[str, str]) -> bool:
        """Whether what is there was put there by the write that bears a mark.

        Its answer got lost, and boto3, or a gateway on the way, has sent it once more: then it is
        its own object that is in the way.
        """
        try:
            with self._answers.telling(key):
                there = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        except ObjectMissingError:
            raise self._answers.contested(key) from None  # removed meanwhile: it may be written
        found = {name.lower(): value for name, value in there["Metadata"].items()}
        return found.get(_MARK) == mark[_MARK]
