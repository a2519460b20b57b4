"""Write the sources of ``examples/dbt`` from the contract; ``--check`` sees that they are so."""

from __future__ import annotations

import sys
from pathlib import Path

from freg_pipeline.contract import compile_contract
from freg_pipeline.lake.dbt_sources import Naming, dbt_sources
from freg_pipeline.synthetic import xsd

FILE = Path(__file__).parents[1] / "examples" / "dbt" / "models" / "sources.yml"

if __name__ == "__main__":
    sources = dbt_sources(compile_contract(xsd()), Naming(), everyone=True)
    if "--check" not in sys.argv:
        FILE.write_text(sources, encoding="utf-8")
    elif not FILE.is_file() or FILE.read_text(encoding="utf-8") != sources:
        sys.exit("examples/dbt/models/sources.yml is out of date. Run make docs")
