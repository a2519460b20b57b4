"""A store on S3: one conditional PUT an object, so that of two writers one wins."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3
import pyarrow.fs
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from freg_pipeline.errors import ObjectMissingError, StoreError
from freg_pipeline.outside import showable

_EXISTS_ALREADY = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_MISSING = {"NoSuchKey", "404", "NotFound"}
_SINGLE_PUT_LIMIT = 5 * 1024**3  # S3's own limit for one PUT, the only write that is conditional


class S3Store:
    """Objects under ``s3://bucket/prefix``; credentials as boto3 finds them."""

    def __init__(self, location: str, *, endpoint: str | None) -> None:
        parsed = urlparse(location)
        self._bucket, self._prefix = parsed.netloc, parsed.path.strip("/")
        if not self._bucket:
            raise StoreError(
                "FREG_STORE names no bucket", "Write it as s3://bucket or s3://bucket/prefix"
            )
        self._endpoint = endpoint
        # Checksums only where the service demands them: others than AWS refuse boto3's new default.
        config = Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "max_attempts": 5},
        )
        self._client: Any = boto3.client("s3", endpoint_url=endpoint, config=config)

    @property
    def location(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def filesystem(self) -> Any:
        """pyarrow's own S3 reader, with boto3's credentials."""
        session = boto3.Session()
        credentials = session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
        endpoint = urlparse(self._endpoint) if self._endpoint else None
        return pyarrow.fs.S3FileSystem(
            access_key=frozen.access_key if frozen else None,
            secret_key=frozen.secret_key if frozen else None,
            session_token=frozen.token if frozen else None,
            region=session.region_name,
            scheme=endpoint.scheme if endpoint else "https",
            endpoint_override=endpoint.netloc if endpoint else None,
        )

    def path(self, key: str) -> str:
        """``bucket/prefix/key``."""
        return f"{self._bucket}/{self._key(key)}"

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        try:
            with self._telling(key):
                self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        except ObjectMissingError:
            return False
        return True

    def read(self, key: str) -> bytes:
        """The whole object. Raises ObjectMissingError."""
        with self._telling(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            body: bytes = answer["Body"].read()
            return body

    def write(self, key: str, data: bytes) -> bool:
        """Write an object once and whole. False: it was there already, and stays as it was."""
        return self._put(key, data)

    def put_file(self, key: str, source: Path) -> bool:
        """As :meth:`write`, from a local file, which is gone afterwards."""
        if source.stat().st_size > _SINGLE_PUT_LIMIT:
            raise StoreError(
                f"{key} is too large for one PUT to S3", "Ask for fewer persons in one uttrekk"
            )
        with source.open("rb") as file:
            written = self._put(key, file)
        source.unlink()
        return written

    def replace(self, key: str, data: bytes) -> None:
        """Swap the object: S3 shows the old or the new one, never a part."""
        with self._telling():
            self._client.put_object(Bucket=self._bucket, Key=self._key(key), Body=data)

    def list(self, prefix: str) -> list[str]:
        """All keys that begin with ``prefix``, sorted."""
        strip = len(self._prefix) + 1 if self._prefix else 0
        keys: list[str] = []
        with self._telling():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._key(prefix)
            )
            for page in pages:
                keys += [item["Key"][strip:] for item in page.get("Contents", [])]
        return sorted(keys)

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        with self._telling():
            self._client.delete_object(Bucket=self._bucket, Key=self._key(key))

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private local folder, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="freg-") as folder:
            yield Path(folder)

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _put(self, key: str, body: Any) -> bool:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=self._key(key), Body=body, IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _EXISTS_ALREADY:
                return False
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise self._failure(error) from error
        return True

    @contextlib.contextmanager
    def _telling(self, key: str = "") -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                raise ObjectMissingError(key, self.location) from None
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise self._failure(error) from error

    def _failure(self, error: ClientError | BotoCoreError) -> StoreError:
        if isinstance(error, ClientError):
            reason = showable(error.response["Error"]["Code"])
        else:
            reason = type(error).__name__
        return StoreError(
            f"the store {self.location} can't be used: {reason}",
            "Check the bucket, FREG_S3_ENDPOINT and the credentials that boto3 finds",
        )
