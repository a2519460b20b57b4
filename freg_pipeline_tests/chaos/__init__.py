"""Random courses of commands on a living register, amid faults that are drawn from a seed.

``make chaos SEEDS=1-20``. What comes of them is judged by code that shares nothing with the
pipeline: the register's documents are asked for by hand, and compared cell by cell with what a
plain DuckDB reads from the catalogue. A course depends on its seed alone: processes are killed at
the n-th thing that they do, not after some time. (What the register is asked for at once, it may
still answer in another order.) So a seed that has failed once is a case for ever.
"""
