"""Every object's name in a store: one table, which a test holds against a real one.

A name can be computed from what the object is, so that "done" is "it is there", and two workers
that do the same piece write the same object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """The names of objects of one sort.

    Attributes:
        pattern: the key, with what varies in braces.
        holds: what such an object is.
    """

    pattern: str
    holds: str

    def fits(self, key: str) -> bool:
        """Whether a key is one of these names."""
        return re.fullmatch(_regex(self.pattern), key) is not None


_FIELDS = {
    "uttrekk": r"[a-z0-9][a-z0-9_-]{0,63}",
    "attempt": r"\d{2,}",
    "job": r"\d{2,}",
    "batch": r"\d{6}",
    "chunk": r"\d{5}",
    "page": r"\d{6}",
    "form": r"json|xml",
    "table": r"(?!(?:_base|_delta|_antall|documents)\b)\w+",
    "number": r"\d{6,}",
    # A full load's, or a compaction's; with a release's number where somebody was taken out, and
    # letters that are one erasure's own.
    "base": r"[a-z0-9][a-z0-9_-]{0,63}(?:\.\d{12,})?(?:\.e\d{6,}[a-z]*)?",
    "compaction": r"[a-z0-9][a-z0-9_-]{0,63}\.\d{12,}(?:\.e\d{6,})?",
    "bucket": r"\d{4}",
    "piece": r"\d{4}|felles",
    "fingerprint": r"[0-9a-f]+",
    "digest": r"[0-9a-f]{16}",
    "day": r"\d{4}-\d\d-\d\d",
    "access": r"[a-z]{16}",
    "format": r"iceberg|delta",
    "version": r"\d{20}",
    "metadata": r"v\d+\.metadata\.json|(?:snap-)?\d+\.avro|version-hint\.text",
    "pin": r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}",
}

_SYNC = re.compile(r"hendelser-(\d{12,})(?:-\d+)?")

# What came of a job; of one that was ordered anew, under uttrekk/{uttrekk}/jobs/{job}/.
_OF_A_JOB = (
    Name("batches/{batch}.json.zst", "a batch of identifiers, as it came"),
    Name("batches/end.json", "how many batches there are"),
    Name("answers/{batch}/{chunk}.{form}.zst", "the raw answer to one look-up of up to 1,000"),
    Name("tables/{batch}/tables.arrow", "the staging tables of a batch, sorted, by bucket"),
    Name("tables/{batch}/done.json", "the batch's tables are whole; written last"),
)
NAMES = (
    Name("register/environment.json", "which environment the store is of"),
    Name("register/{digest}.json", "an address that the register was asked at"),
    Name("contracts/{fingerprint}.xsd", "a contract that was in force"),
    Name("open/{uttrekk}", "something is left to do for this uttrekk"),
    Name("uttrekk/{uttrekk}/request.json", "what was asked for; written before anything is sent"),
    Name("uttrekk/{uttrekk}/order/{attempt}-sent.json", "an order is about to be sent"),
    Name("uttrekk/{uttrekk}/order/{attempt}-answer.json", "what came of it: job, refused or lost"),
    Name("uttrekk/{uttrekk}/order/{attempt}-gone.json", "the register no longer has the job"),
    Name("uttrekk/{uttrekk}/malformed.json", "what in a list is no identity number, by line"),
    *(Name(f"uttrekk/{{uttrekk}}/{one.pattern}", one.holds) for one in _OF_A_JOB),
    *(Name(f"uttrekk/{{uttrekk}}/jobs/{{job}}/{one.pattern}", one.holds) for one in _OF_A_JOB),
    Name("uttrekk/{uttrekk}/feed/{page}.{form}.zst", "a page of the event list, as it came"),
    Name("uttrekk/{uttrekk}/feed/egne.json", "of a selection: the events of its own persons"),
    Name("uttrekk/{uttrekk}/feed/end.json", "the last event of a sync"),
    Name("uttrekk/{uttrekk}/hendelsesdokumenter/{chunk}.{form}.zst", "raw event documents"),
    Name("uttrekk/{uttrekk}/tables/hendelser/{table}.parquet", "a table of a sync's events"),
    Name("uttrekk/{uttrekk}/tables/hendelser/done.json", "these tables are whole"),
    Name("uttrekk/{uttrekk}/release.json", "which release it became"),
    Name("uttrekk/{uttrekk}/abandoned.json", "it was given up"),
    Name("bases/{base}/{table}/{bucket}.parquet", "a table file of a base"),
    Name("bases/{base}/plan.json", "of whom and what a base is to be made"),
    Name("bases/{uttrekk}/documents/{bucket}.arrow", "which documents a bucket is made of"),
    Name("bases/{base}/{piece}.json", "a piece of a base is whole"),
    Name("bases/{base}/_base.json", "a base that a release stands on: its tables and files"),
    Name("bases/{base}/_antall/{bucket}.parquet", "what a base holds of each person, a bucket's"),
    Name("bases/{base}/_antall.json", "these tallies are whole"),
    Name("compacting/{compaction}", "a compaction is under way"),
    Name("deltas/{uttrekk}/{base}/_delta.json", "a delta of a release, and its files"),
    Name("deltas/{uttrekk}/{base}/{table}.parquet", "a table file of a delta"),
    Name("deltas/{uttrekk}/{base}/_antall.parquet", "what a delta holds of each person"),
    Name("deltas/{uttrekk}/{base}/done.json", "the delta's files are whole"),
    Name("releases/{number}/manifest.json", "what a release consists of"),
    Name("releases/{number}/report.html", "a page about the release, if asked for; is replaced"),
    Name("releases/current.json", "which release readers see; is replaced"),
    Name("pins/{pin}.json", "a reader keeps a release"),
    Name("access/{day}/{access}.json", "who has looked at persons, and by what command"),
    Name("access/{day}/{access}.rows.json", "and how many rows that gave"),
    Name("formats/{format}.json", "what is registered for its readers; is replaced"),
    Name("formats/iceberg/catalogue.db", "Iceberg's tables, by name; is replaced"),
    Name(
        "formats/iceberg/freg/{table}/metadata/{metadata}", "which of a base's files are a table's"
    ),
    Name("bases/{base}/{table}/_delta_log/{version}.json", "the same, for readers of Delta"),
    Name("erasures/key.json", "the key under which it is kept whose numbers are kept out"),
    Name("erasures/{number}/order.json", "that persons are erased, or kept out no longer"),
    Name("erasures/{number}/lifted.json", "whom the next sync looks up; removed then"),
    Name("erasures/{number}/receipt.json", "what an erasure rewrote and removed"),
    Name("freg.duckdb", "the catalogue; locally only"),
)


def names_of(key: str) -> list[Name]:
    """The names that a key fits: one, or the key is no object of ours."""
    return [name for name in NAMES if name.fits(key)]


def position_of(uttrekk: str) -> int | None:
    """The event list's position that a sync continues, by its name; None: it is no sync's name."""
    found = _SYNC.fullmatch(uttrekk)
    return int(found[1]) if found else None


def _regex(pattern: str) -> str:
    pieces = re.split(r"\{(\w+)\}", pattern)
    return "".join(
        f"(?:{_FIELDS[piece]})" if place % 2 else re.escape(piece)
        for place, piece in enumerate(pieces)
    )
