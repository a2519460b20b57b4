"""A copy of the tables in a warehouse, kept current there by dlt."""
