"""Side-by-side measurements: this software, what users would take instead, and the floor.

``make bench`` runs them, prints the table, and writes ``results.json`` and ``RESULTS.md``. Nothing
here is a test: a measurement has no pass mark of its own.
"""
