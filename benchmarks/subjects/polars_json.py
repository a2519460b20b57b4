"""polars: read_json, then unnest and explode whole columns."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import polars as pl


def prepare(answers: list[Path]) -> None:
    del answers


def run(answers: list[Path], folder: Path, prepared: None) -> int:
    del prepared
    tables: dict[str, list[pl.DataFrame]] = defaultdict(list)
    persons = 0
    for path in answers:
        people = (
            pl.read_json(path, infer_schema_length=None)
            .explode("oppslag")
            .unnest("oppslag")
            .unnest("folkeregisterperson")
        )
        persons += people.height
        number = pl.col("identifikasjonsnummer").list.first().struct.field("foedselsEllerDNummer")
        people = people.with_columns(number.alias("personidentifikator"))
        for entity, kind in people.schema.items():
            if isinstance(kind, pl.List | pl.Struct):
                rows(people.select("personidentifikator", entity), entity, entity, tables)
    for name, frames in tables.items():
        frame = pl.concat(frames, how="diagonal_relaxed")
        frame.write_parquet(folder / f"{name}.parquet", compression="zstd")
    return persons


def rows(
    frame: pl.DataFrame, column: str, name: str, tables: dict[str, list[pl.DataFrame]]
) -> None:
    """Explode and unnest one entity; lists of structs become tables of their own."""
    if isinstance(frame.schema[column], pl.List):
        frame = frame.drop_nulls(column).explode(column)
    frame = frame.drop_nulls(column).unnest(column, separator="_")
    while True:
        structs = [one for one, kind in frame.schema.items() if isinstance(kind, pl.Struct)]
        if not structs:
            break
        frame = frame.unnest(*structs, separator="_")
    lists = [
        one
        for one, kind in frame.schema.items()
        if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct)
    ]
    for inner in lists:
        rows(frame.select("personidentifikator", inner), inner, f"{name}__{inner}", tables)
    tables[name].append(frame.drop(lists))
