"""A key's file, and the pseudonyms that it makes."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.commands.root import cli
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.pseudonyms.key import PSEUDONYM_LETTERS, Key, make_key, read_key

SECRET = bytes(range(32))
ONE, OTHER = Key(SECRET), Key(bytes(range(1, 33)))
NUMBERS = st.integers(0, 99_999_999_999).map("{:011d}".format)
TEXTS = st.lists(st.none() | NUMBERS | st.text(max_size=20))


@given(TEXTS)
def test_a_value_has_one_pseudonym_wherever_it_stands(texts: list[str | None]) -> None:
    made = ONE.pseudonyms(pa.array(texts, pa.string())).to_pylist()
    alone = [ONE.pseudonyms(pa.array([text], pa.string()))[0].as_py() for text in texts]
    assert made == alone
    stripped = [text.strip() if text else "" for text in texts]
    assert [one is None for one in made] == [text == "" for text in stripped]
    pairs = {*zip(stripped, made, strict=True)}
    assert len(pairs) == len({*stripped}) == len({*made} | ({None} if "" in stripped else set()))
    for one in made:
        assert one is None or (len(one) == PSEUDONYM_LETTERS and {*one} <= {*"abcdefghijklmnop"})


@given(st.sets(NUMBERS, min_size=1))
def test_another_key_makes_others(numbers: set[str]) -> None:
    values = pa.array([*numbers])
    assert not {*ONE.pseudonyms(values).to_pylist()} & {*OTHER.pseudonyms(values).to_pylist()}
    assert ONE.fingerprint != OTHER.fingerprint


@given(st.integers(0, 99_999_999_999))
def test_a_number_that_lost_its_leading_zeros_is_the_same(number: int) -> None:
    as_integer = ONE.pseudonyms(pa.array([number, None]))
    as_text = ONE.pseudonyms(pa.array([f"{number:011d}", None]))
    assert as_integer.equals(as_text)


def test_it_is_hmac_of_sha256_as_is_documented() -> None:
    signed = hmac.digest(SECRET, b"freg pseudonym 1\x0001010112345", "sha256")[:16].hex()
    letters = signed.translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))
    assert ONE.pseudonyms(pa.array(["01010112345"])).to_pylist() == [letters]


def test_a_fingerprint_is_no_hash_of_the_key() -> None:
    for content in (SECRET, SECRET.hex().encode()):
        for algorithm in ("sha256", "sha1", "md5", "sha512", "blake2b"):
            assert ONE.fingerprint not in hashlib.new(algorithm, content).hexdigest()
    assert SECRET.hex() not in f"{ONE!r} {ONE} {vars(ONE)}"


def test_a_key_that_is_made_is_read_again_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = CliRunner().invoke(cli, ["export", "--make-key", str(path)])
    assert made.exit_code == 0, made.output
    assert path.stat().st_mode & 0o777 == 0o600
    secret = path.read_text().strip()
    assert len(bytes.fromhex(secret)) == 32
    assert secret not in made.output
    assert read_key(path).fingerprint in made.output
    again = CliRunner().invoke(cli, ["export", "--make-key", str(path)])
    assert "is there already" in str(again.exception)
    assert path.read_text().strip() == secret
    with pytest.raises(ConfigurationError, match="no key can be written"):
        make_key(tmp_path / "not" / "there")


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (SECRET.hex(), 0o640, "others than you may read"),
        (SECRET.hex(), 0o604, "others than you may read"),
        (SECRET.hex()[:-2], 0o600, "isn't 64 hexadecimal digits"),
        (SECRET.hex()[:-1], 0o600, "isn't 64 hexadecimal digits"),
        ("correct horse battery staple " * 5, 0o600, "isn't 64 hexadecimal digits"),
        ("", 0o600, "isn't 64 hexadecimal digits"),
        ("00" * 32, 0o600, "isn't random"),
        ("0123456789abcdef" * 4, 0o600, "isn't random"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(
    tmp_path: Path, content: str, mode: int, told: str
) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=told) as refused:
        read_key(path)
    assert not content or content[:8] not in str(refused.value)


def test_no_file_is_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path / "pipe", tmp_path):
        with pytest.raises(ConfigurationError, match=r"can't be read|is no file"):
            read_key(path)


def test_a_key_in_place_of_its_file_isnt_shown() -> None:
    for arguments in ([], ["--profile", "test"]):
        found = CliRunner().invoke(
            cli, ["export", "--pseudonymise", SECRET.hex(), *arguments, "copy"]
        )
        assert found.exit_code != 0
        assert SECRET.hex() not in f"{found.output} {found.exception}"
    with pytest.raises(ConfigurationError, match="a key's file is asked for"):
        read_key(Path(SECRET.hex()))
