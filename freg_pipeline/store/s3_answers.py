"""What S3 answers: errors in our words, and calls that are made until they are settled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

import stamina
from botocore.exceptions import BotoCoreError, ClientError

from freg_pipeline.errors import FregError, ObjectMissingError, StoreError
from freg_pipeline.outside import showable

_MISSING = {"NoSuchKey", "404", "NotFound"}
_TRY_AGAIN = 409  # Conflict: of two at the same time, neither may have written
_TRIES = 10
_PAUSES: dict[str, Any] = {
    "timeout": None,
    "wait_initial": 0.05,
    "wait_max": 2.0,
    "wait_jitter": 0.2,
}
T = TypeVar("T")


class UnsettledError(FregError):
    """What came of a call isn't known, or not for long: it is made again."""


class S3Answers:
    """What comes of calls to one store.

    Args:
        location: its address, as it is told.
    """

    def __init__(self, location: str) -> None:
        self._location = location

    def settled(self, key: str, call: Callable[[], T]) -> T:
        """What a call comes to, made until S3 says that it is done, or why it isn't.

        Raises:
            ObjectMissingError: the object isn't there.
            UnsettledError: it isn't known, time after time.
            StoreError: the store can't be used; says why.
        """
        for attempt in stamina.retry_context(on=UnsettledError, attempts=_TRIES, **_PAUSES):
            with attempt, self.telling(key):
                return call()
        raise AssertionError  # stamina raises the last error itself

    @contextlib.contextmanager
    def telling(self, key: str = "") -> Iterator[None]:
        """Tell what S3 refuses as what it is.

        Args:
            key: of the object that it is about; empty: it is about none.

        Raises:
            ObjectMissingError: the object isn't there.
            UnsettledError: others are changing it at the same time.
            StoreError: it can't be used; says why.
        """
        try:
            yield
        except ClientError as error:
            if key and error.response["Error"]["Code"] in _MISSING:
                raise ObjectMissingError(key, self._location) from None
            if status_of(error) == _TRY_AGAIN:
                raise self.contested(key) from None
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise self._failure(error) from error

    def contested(self, key: str) -> UnsettledError:
        """What to raise where others are changing an object at the same time."""
        why = "S3 answers that others are changing it at the same time"
        return self.unsettled(key, "written", why)

    def unsettled(self, key: str, what: str, why: str) -> UnsettledError:
        """What to raise where it isn't known what came of a call: what can't be done, and why."""
        return UnsettledError(
            f"{key} in {self._location} can't be {what}: {why}, time after time",
            "Run the same command again: it resumes where it stopped",
        )

    def _failure(self, error: ClientError | BotoCoreError) -> StoreError:
        if isinstance(error, ClientError):
            reason = showable(_named(error.response["Error"]["Code"]))
        else:
            reason = type(error).__name__
        return StoreError(
            f"the store {self._location} can't be used: {reason}",
            "Check the bucket, the endpoint (FREG_S3_ENDPOINT, or as boto3 finds it), and the "
            "region, credentials and certificates that boto3 finds; freg check tries them",
        )


def _named(code: str) -> str:
    """What S3 says; of an answer without words, as to HEAD, boto3 tells the status alone."""
    with contextlib.suppress(ValueError):
        return f"{code} {HTTPStatus(int(code)).phrase}"
    return code


def status_of(error: ClientError) -> int | None:
    """HTTP's status of what S3 has refused."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
