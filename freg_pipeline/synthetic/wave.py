"""A wave: very many events of one kind within a short time.

The one that is foretold for 2027-02-01: identitetsgrunnlag gets the code ``unik``, which the
contract does not list. A document of a wave is not written, but made of the one before it when it
is asked for.
"""

from __future__ import annotations

from freg_pipeline.synthetic.events import moment_text

KIND = "endringIIdentitetsgrunnlag"
CODE = "unik"
MILLISECONDS_AN_EVENT = 24 * 3600 * 1_000 // 1_000_000  # up to a million a day

_ENTITY = b'"identitetsgrunnlag":[{'
_FIELD = b'"identitetsgrunnlagstatus"'


def with_code(document: bytes, moment: int) -> bytes:
    """The document with the code in force, and the level before it as history.

    The current row of identitetsgrunnlag stands first, in every document of this register.
    """
    at = moment_text(moment).encode()
    start = document.index(_ENTITY) + len(_ENTITY)
    end = document.index(b"}", start)
    before = document[start:end].replace(b'"erGjeldende":true', b'"erGjeldende":false', 1)
    before = before.replace(_FIELD, b'"opphoerstidspunkt":"%s",%s' % (at, _FIELD), 1)
    row = b'"erGjeldende":true,' + _own(at, b"identitetsgrunnlagstatus")
    return b"".join((document[:start], row, b"},{", before, document[end:]))


def told(number: str, moment: int, change: str) -> bytes:
    """What the event document says, as :func:`event_documents.hendelse` would write it."""
    at = moment_text(moment).encode()
    return (
        b'{"folkeregisteridentifikator":"%s","hendelsestype":"%s","ajourholdstidspunkt":"%s",'
        b'"egenskapshendelse":[{"identitetsgrunnlag":{%s},"entitet":"identitetsgrunnlag",'
        b'"entitetsendring":"%s"}]}'
    ) % (number.encode(), KIND.encode(), at, _own(at, b"legitimasjonskontroll"), change.encode())


def _own(at: bytes, field: bytes) -> bytes:
    return (
        b'"ajourholdstidspunkt":"%s","kilde":"Skatteetaten","aarsak":"Patch",'
        b'"gyldighetstidspunkt":"%s","%s":"%s"'
    ) % (at, at, field, CODE.encode())
