"""What comes from outside is shown without numbers, secrets, terminal escapes, or end."""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from freg_pipeline import outside
from freg_pipeline.outside import (
    LONGEST,
    MaskedFormatter,
    keep_secret,
    looks_like_number,
    masked,
    showable,
)

NUMBER = "03851598730"
SECRET = "s3cret & long/enough+to be æ cut"


@pytest.fixture(autouse=True)
def _forget_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "_secrets", {})
    monkeypatch.setattr(outside, "_known", ([], frozenset()))


WRITTEN = [
    NUMBER,
    "038515 98730",
    "038515-98730",
    "03 85 15 98730",
    "03.85.15-987.30",
    "038 515 98 730",
    "0 3 8 5 1 5 9 8 7 3 0",
    "010101-12345",
    "01 01 01 12345",
    "038515\u00a098730",
    "038515\u200b98730",
    "0385\x0015\x1b[31m98730",
    "０３８５１５９８７３０",
    "٠٣٨٥١٥٩٨٧٣٠",
    f"%22{NUMBER}%22",
    "038515%2098730",
    "038515%252098730",
    quote("".join(f"%{ord(digit):x}" for digit in NUMBER)),
    "".join(f"%{ord(digit):x}" for digit in NUMBER),
    "".join(f"&#{ord(digit)};" for digit in NUMBER),
    "".join(f"\\u00{ord(digit):x}" for digit in NUMBER),
    f"fnr{NUMBER}x",
    f"7{NUMBER}",
    f"2026{NUMBER}99",
    f"_{NUMBER}_",
    NUMBER.lstrip("0"),
    f"{NUMBER.lstrip('0')}.0",
    "3.851598730E9",
]


def digits_of(text: str) -> str:
    return "".join(str(int(char)) for char in text if char.isdecimal())


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(
    "around", ["{}", "Fant ikke {}.", "nr={};", '{{"nr": "{}"}}', "/personer/{}/"]
)
def test_a_number_is_hidden_however_it_is_written(written: str, around: str) -> None:
    shown = showable(around.format(written))
    assert "*" in shown
    assert len(digits_of(shown)) < 5, shown


@pytest.mark.parametrize("written", WRITTEN)
def test_the_second_line_of_defence_hides_it_too(written: str) -> None:
    assert len(digits_of(masked(f"told of {written}"))) < 5


OUR_OWN = [
    "Release 000012: 5,412,345 persons in 41 tables, good to sequence number 123456789",
    "resuming the uttrekk komplett-20261125t182607",
    "the uttrekk hendelser-000000123456 has no record",
    "uttrekk/komplett-20261125/answers/000012/00345.json.zst is damaged",
    "batch 000003 of hendelser-000000123456/000003",
    "nothing answers at http://127.0.0.1:38765/folkeregisteret",
    "http://192.168.100.123:8080 (correlation id 3f2a4b5c-1234-4567-8901-123456789012)",
    "at 2026-11-25 18:26:07.123456, or 2026-11-25T18:26:07Z",
    "asked for 1,000 of 100,000; 12.3 s",
]


@pytest.mark.parametrize("line", OUR_OWN)
def test_our_own_names_and_counts_stay(line: str) -> None:
    assert masked(line) == line


def test_what_supports_needs_is_shown() -> None:
    said = (
        "feilreferanse 3f2a4b5c-1234-4567-8901-123456789012 fra 10.0.0.12:8080, 2026-11-25T18:26:07"
    )
    assert showable(said) == said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07red\x1b[0m", "red"),
        ("\x9b31mred \x1b]8;;http://x\x1b\\link", "red link"),
        ("a\x00b\x7f\u202ec\ud83d", "abc"),
        ("two\r\nlines\u2028and\x85more", "two lines and more"),
        ("\x1bPnever ended", ""),
    ],
)
def test_nothing_steers_a_terminal(text: str, shown: str) -> None:
    assert showable(text) == shown


def test_a_long_text_is_cut() -> None:
    assert len(showable("nei " * 100_000)) == LONGEST
    assert showable("nei " * 100_000).endswith("…")
    assert len(showable("x" * 300_000, 60)) == 60


def test_what_is_cut_through_is_not_shown() -> None:
    for blanks in range(99_980, 100_001):
        assert len(digits_of(showable(" " * blanks + NUMBER))) < 5


ECHOED = {
    "as it is": SECRET,
    "in a URL": quote(SECRET, safe=""),
    "in a form": quote_plus(SECRET),
    "in JSON": json.dumps(SECRET),
    "as Basic authorisation": b64encode(SECRET.encode()).decode(),
    "cut": SECRET[:20],
    "its end": SECRET[-20:],
}


@pytest.mark.parametrize("how", ECHOED)
def test_a_secret_is_hidden_however_it_is_echoed(how: str) -> None:
    keep_secret(SECRET)
    for show in (showable, masked):
        shown = show(f'no "{ECHOED[how]}" here')
        assert "***" in shown
        assert not re.search(r"cret|enough|be|M2Ny", shown), shown
        assert shown.startswith('no "')


def test_a_short_secret_is_hidden_and_an_empty_one_hides_nothing() -> None:
    keep_secret("", None, "æø", "hemmelig")
    assert showable("passordet hemmelig er galt, æø") == "passordet *** er galt, æø"


def test_a_configured_secret_is_remembered_while_tokens_come_and_go() -> None:
    for number in range(200):
        keep_secret("the-password-of-fiks", f"token{number}")
    assert showable("the-password-of-fiks token199 token0") == "*** *** token0"


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(WRITTEN),
    st.integers(0, 400),
)
def test_numbers_in_any_text_never_come_out(
    before: str, after: str, written: str, blanks: int
) -> None:
    # A fraction such as ¼ is shown with digits of its own.
    assume(len(digits_of(unicodedata.normalize("NFKC", before + after))) == 0)
    shown = showable(before + " " * blanks + written + after)
    assert len(digits_of(shown)) < 5, shown
    assert len(shown) <= LONGEST


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=200),
)
def test_secrets_in_any_text_never_come_out(before: str, after: str, secret: str) -> None:
    keep_secret(secret)
    assert secret not in showable(f"{before}{secret}{after}")
    assert secret not in masked(f"{before}{secret}{after}")


@given(st.text(max_size=200))
def test_the_second_line_adds_nothing_to_what_is_fit_already(text: str) -> None:
    assert masked(showable(text)) == showable(text)


def test_log_lines_are_masked_with_their_tracebacks() -> None:
    keep_secret(SECRET)
    formatter = MaskedFormatter("%(message)s")
    try:
        raise ValueError(f"{NUMBER} and {SECRET}")
    except ValueError as error:
        told = (type(error), error, error.__traceback__)
    line = formatter.format(logging.LogRecord("x", 30, "", 1, "of %s", (NUMBER,), told))
    assert "Traceback" in line
    assert NUMBER not in line
    assert SECRET not in line


def test_what_may_be_a_number_is_known() -> None:
    assert looks_like_number("liste-03851598730")
    assert not looks_like_number("hendelser-000000123456")
    assert not looks_like_number("hendelser-000101234567-2")
    assert looks_like_number("hendelser-000101234567-03851598730")
    keep_secret("mine")
    assert not looks_like_number("mine"), "a secret is none"
