"""Table files, releases, accounting, and the DuckDB catalogue over them."""
