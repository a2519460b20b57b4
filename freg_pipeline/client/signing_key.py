"""The key that an organisation signs with towards Maskinporten, and what tells whose it is."""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import keep_secret
from freg_pipeline.readable import within_depth

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

ALGORITHM = "RS256"  # what Maskinporten takes
KEY_DAYS = 365  # a registered key lives, at most (Maskinporten's documentation)
SOON_DAYS = 30  # before its end it is worth a word
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")  # RFC 7518, 6.3.2
_LARGEST_FILE = 64 * 1024
# A key of 16,384 bits, as large as OpenSSL takes: of a larger one the check alone lasts for hours.
_LARGEST_PEM, _LONGEST_PART = 16 * 1024, 2_740


@dataclass(frozen=True, repr=False)
class Signer:
    """A private key with the header that names it. Never shown: it has no repr of its fields.

    Attributes:
        key: RSA, private.
        header: ``kid``, or ``x5c`` with an enterprise certificate and its chain.
    """

    key: RSAKey
    header: Mapping[str, Any]

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A signed assertion. Raises ConfigurationError where the key isn't meant for it."""
        header = {"alg": ALGORITHM, **self.header}
        try:
            assertion = jwt.encode(header, dict(claims), self.key, algorithms=[ALGORITHM])
        except JoseError:  # by what a JWK says of itself
            raise _wrong_key(f"isn't meant for signing by {ALGORITHM}") from None
        keep_secret(assertion)
        return assertion


def read_signer(key_file: Path, kid: str | None, cert_file: Path | None) -> Signer:
    """Read the key from its file.

    Args:
        key_file: PEM (PKCS#8 or PKCS#1) or JWK.
        kid: the key's id at Maskinporten; a JWK's own wins, so that the file alone names a new key.
        cert_file: the enterprise certificate and its chain, PEM, leaf first; then no kid is sent.

    Raises:
        ConfigurationError: a file can't be read or holds something else, the certificate is of
            another key or out of date, or nothing names the key.
    """
    key, said = _key(_read(key_file, "FREG_MASKINPORTEN_KEY_FILE"))
    if cert_file is not None:
        return Signer(key, {"x5c": _chain(_read(cert_file, "FREG_MASKINPORTEN_CERT_FILE"), key)})
    kid = said or kid
    if not kid:
        raise ConfigurationError(
            "Maskinporten can't tell which key is yours",
            "Set FREG_MASKINPORTEN_KID, or FREG_MASKINPORTEN_CERT_FILE for a certificate",
        )
    return Signer(key, {"kid": kid})


def key_age(key_file: Path, cert_file: Path | None, today: date) -> str:
    """How long the key is good for, as far as that can be known: by certificate, or the file's age.

    Raises:
        ConfigurationError: a file can't be read.
    """
    if cert_file is not None:
        content = _read(cert_file, "FREG_MASKINPORTEN_CERT_FILE")
        ends = _certificates(content)[0].not_valid_after_utc.date()
        return f"by certificate, valid until {ends} ({(ends - today).days} days)"
    _read(key_file, "FREG_MASKINPORTEN_KEY_FILE")
    changed = datetime.fromtimestamp(key_file.expanduser().stat().st_mtime, UTC).date()
    days = (today - changed).days
    line = f"its file is from {changed} ({days} days ago); registered keys live one year at most"
    return f"{line}: see to its registration" if days > KEY_DAYS - SOON_DAYS else line


def key_warning(key_file: Path) -> str | None:
    """What is wrong with who may read or change the key's file beside its owner; None: nothing.

    Its group may read it, as where a service is given it by one.
    """
    mode = key_file.expanduser().stat().st_mode
    if not mode & (stat.S_IRWXO | stat.S_IWGRP):
        return None
    return "others on this machine may read or change its file: chmod 600, or 640 for a group"


def signer_of(pem: str, kid: str) -> Signer:
    """A key that came as text."""
    return Signer(_key(pem.encode())[0], {"kid": kid})


def _read(path: Path, setting: str) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigurationError(
            f"the file that {setting} names can't be read: {error.strerror}", "Correct it"
        ) from None
    if len(content) > _LARGEST_FILE:
        raise ConfigurationError(
            f"the file that {setting} names is too large to be what it should be", "Correct it"
        )
    return content


def _key(content: bytes) -> tuple[RSAKey, str | None]:
    """The key and, from a JWK, its id. No library's error is quoted: it might quote the key."""
    said: str | None = None
    try:
        if content.lstrip().startswith(b"{"):
            jwk = _jwk(content)
            said = jwk.get("kid")
            key = RSAKey.import_key(jwk)
        else:
            if len(content) > _LARGEST_PEM:
                raise _wrong_key("is larger than any RSA key")
            key = RSAKey.import_key(content)
    except TypeError:
        raise _wrong_key("is encrypted: no password can be given here") from None
    except (ValueError, JoseError):
        raise _wrong_key("is no RSA key as PEM or JWK") from None
    if not key.is_private:
        raise _wrong_key("is a public key, and the private one is needed")
    keep_secret(*_secret_parts(content))
    return key, said


def _jwk(content: bytes) -> dict[str, Any]:
    """What a JWK holds. Raises ValueError for what is none, or larger than any."""
    jwk = within_depth(msgspec.json.Decoder(dict[str, Any]).decode, content)
    if any(len(str(jwk.get(name, ""))) > _LONGEST_PART for name in ("n", "e", *_PRIVATE)):
        msg = "too large"
        raise ValueError(msg)
    return jwk


def _secret_parts(content: bytes) -> list[str]:
    """What of a key's file is secret: lines of PEM, numbers of a JWK."""
    if content.lstrip().startswith(b"{"):
        jwk = _jwk(content)
        return [str(jwk[name]) for name in _PRIVATE if name in jwk]
    return [
        line
        for line in content.decode(errors="replace").splitlines()
        if not line.startswith("-----")
    ]


def _wrong_key(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"what FREG_MASKINPORTEN_KEY_FILE names {why}",
        "Give the file of the private RSA key whose public half is registered at Maskinporten",
    )


def _chain(content: bytes, key: RSAKey) -> list[str]:
    try:
        chain = _certificates(content)
    except ValueError:
        raise _wrong_certificate("holds no certificates as PEM") from None
    if chain[0].public_key() != key.public_key:
        raise _wrong_certificate("begins with the certificate of another key")
    now = datetime.now(UTC)
    if not chain[0].not_valid_before_utc <= now <= chain[0].not_valid_after_utc:
        raise _wrong_certificate(
            f"is valid from {chain[0].not_valid_before_utc:%Y-%m-%d} to "
            f"{chain[0].not_valid_after_utc:%Y-%m-%d} only"
        )
    from cryptography.hazmat.primitives.serialization import Encoding

    return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in chain]


def _wrong_certificate(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"what FREG_MASKINPORTEN_CERT_FILE names {why}",
        "Give the certificate of the key in FREG_MASKINPORTEN_KEY_FILE, then its chain",
    )


def _certificates(content: bytes) -> list[Certificate]:
    from cryptography.x509 import load_pem_x509_certificates  # few have any; it costs 0.05 s

    return load_pem_x509_certificates(content)
