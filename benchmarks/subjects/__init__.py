"""One module a subject, each with ``run(answers, folder)``: answers on disk to Parquet in a folder.

``prepare`` does what isn't measured. Each subject runs in a process of its own.
"""
