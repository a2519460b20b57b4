"""Texts held as dictionaries are the same texts in files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.contract import compile_contract
from freg_pipeline.lake.files import write_bucket
from freg_pipeline.lake.layout import layouts
from freg_pipeline_tests.unit.lake.delivered import XSD

NUMBER = "personidentifikator"


def test_texts_held_as_dictionaries_are_written_as_such(tmp_path: Path) -> None:
    layout = next(one for one in layouts(compile_contract(XSD)) if one.name == "navn")
    assert NUMBER not in layout.codes
    columns = [
        pa.nulls(3, field.type) if field.nullable else pa.array([1, 1, 2]).cast(field.type)
        for field in layout.schema
    ]
    plain = pa.table(columns, schema=layout.schema)
    number = plain.schema.get_field_index(NUMBER)
    codes = plain[number].dictionary_encode()
    field = layout.schema.field(number).with_type(codes.type)
    held = plain.set_column(number, field, codes)
    encodings = []
    for bucket, rows in enumerate((plain, held)):
        file = pq.ParquetFile(write_bucket(tmp_path, layout, bucket, rows))
        assert file.schema_arrow.field(NUMBER).type == pa.string()
        assert file.read().to_pylist() == plain.to_pylist()
        encodings.append("RLE_DICTIONARY" in file.metadata.row_group(0).column(number).encodings)
    assert encodings == [False, True]
