"""The Norwegian population register as Parquet tables, complete on day one and current ever after."""
