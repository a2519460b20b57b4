"""What boto3 finds of an S3 service, handed on to pyarrow: both talk to it in the same way.

boto3's session is the one place where endpoint, region, credentials, proxies and certificates come
from: the environment, a profile, a role, a machine's own. pyarrow, left to itself, looks in other
places, and would find nothing where boto3 has written everything.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
import certifi
import pyarrow.fs
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.utils import get_environ_proxies

from freg_pipeline.errors import StoreError

TRIES = 5
AT_ONCE = 16  # requests under way: each waits for an answer
CONNECT_SECONDS = 10.0
# An endpoint that follows from the region alone, so that pyarrow makes the same one.
_USUAL = re.compile(r"s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")


class S3Session:
    """One client of boto3's, and pyarrow's reader by the same settings. Safe for many threads.

    Args:
        bucket: which bucket is read and written.
        endpoint: the service's address; None: as boto3 finds it.

    Raises:
        StoreError: what boto3 finds can't be used; says why.
        BotoCoreError: boto3 says so itself.
    """

    def __init__(self, bucket: str, endpoint: str | None) -> None:
        self._bucket = bucket
        core = botocore.session.Session()
        session = boto3.Session(botocore_session=core)
        # Checksums only where the service demands them: others than AWS refuse boto3's new default.
        config = Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "max_attempts": TRIES},
            max_pool_connections=3 * AT_ONCE,  # look-ups and batches keep theirs at the same time
        )
        try:
            self.client: Any = session.client("s3", endpoint_url=endpoint, config=config)
        except ValueError:  # boto3 quotes the address, which may hold a password
            raise _wrong_endpoint() from None
        _require_plain(self.client.meta.endpoint_url)
        self._certificates = _certificates(core)
        self._credentials = session.get_credentials()
        self._lock = threading.Lock()
        self._reader: tuple[Any, Any] | None = None  # the credentials it was built with, and it

    @property
    def filesystem(self) -> Any:
        """pyarrow's reader, built once, and anew only when credentials have been renewed.

        Raises:
            BotoCoreError, ClientError: boto3 finds no credentials, or can't renew them.
        """
        if self._credentials is None:
            raise NoCredentialsError
        with self._lock:
            frozen = self._credentials.get_frozen_credentials()
            if self._reader is None or self._reader[0] != frozen:
                self._reader = frozen, self._build(frozen)
            return self._reader[1]

    def _build(self, credentials: Any) -> Any:
        meta = self.client.meta
        endpoint = urlsplit(meta.endpoint_url)
        usual = _USUAL.fullmatch(endpoint.netloc)
        style = (meta.config.s3 or {}).get("addressing_style")
        proxy = get_environ_proxies(meta.endpoint_url).get(endpoint.scheme)
        return pyarrow.fs.S3FileSystem(
            access_key=credentials.access_key,
            secret_key=credentials.secret_key,
            session_token=credentials.token,
            region=self._bucket_region() if usual else meta.region_name,
            scheme=endpoint.scheme,
            endpoint_override=None if usual else endpoint.netloc,
            force_virtual_addressing=style == "virtual",
            tls_ca_file_path=self._certificates,
            proxy_options=proxy,
            connect_timeout=CONNECT_SECONDS,
            retry_strategy=pyarrow.fs.AwsStandardS3RetryStrategy(max_attempts=TRIES),
        )

    def _bucket_region(self) -> str:
        """Where AWS keeps the bucket: boto3 follows it there, and pyarrow would not."""
        try:
            answer = self.client.head_bucket(Bucket=self._bucket)
        except ClientError as error:  # the region is told even to those who are refused
            answer = error.response
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region: str = headers.get("x-amz-bucket-region") or self.client.meta.region_name
        return region


def _require_plain(endpoint: str) -> None:
    """See that an address is of a kind that every library takes."""
    parts = urlsplit(endpoint)
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise _wrong_endpoint()


def _wrong_endpoint() -> StoreError:
    return StoreError(
        "the S3 endpoint must be http(s)://host or http(s)://host:port, with no path",
        "Correct it where it is set: FREG_S3_ENDPOINT, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or "
        "endpoint_url in the AWS profile; a folder in the bucket belongs in FREG_STORE",
    )


def _certificates(core: Any) -> str:
    """The file of certificates that boto3 trusts, from where it takes them."""
    found = core.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    if found and not Path(found).is_file():
        raise StoreError(
            "the certificates for S3 (AWS_CA_BUNDLE, ca_bundle in the AWS profile, or "
            f"REQUESTS_CA_BUNDLE) are not a file: {found}",
            "Give a file of certificates in PEM form",
        )
    return found or certifi.where()
