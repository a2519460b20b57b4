"""What machine code finds by one address: arrays that Python and it share, and single numbers.

Arrays are of 64-bit numbers, one row a record; the records of the contract are those of
``program.py``.
"""

from __future__ import annotations

from typing import Final

SLACK: Final = 8  # bytes after a text's buffer: copying goes by eight
NEVER: Final = -(2**63)  # LATEST of a document that tells no time

# The shared numbers. First addresses of arrays:
NODES: Final = 0
FIELDS: Final = 1
TABLES: Final = 2
COLUMNS: Final = 3
STACK: Final = 4  # structures that are open
ROW_KEYS: Final = 5  # rad_nr and the element numbers of the rows that are open
UNKNOWN: Final = 6  # fields that the contract doesn't know
ENTRIES: Final = 7  # what was asked for, and what came of it
# … then numbers that stand for themselves:
ALL_TABLES: Final = 8  # how many
OBJECTS: Final = 9  # structures opened so far: each has a number
LATEST: Final = 10  # the document's latest ajourholdstidspunkt, microseconds
DEPTH: Final = 11  # of the structure that is open
UNKNOWN_HELD: Final = 12
UNKNOWN_ROOM: Final = 13
UNKNOWN_BEFORE: Final = 14  # held before the entry under way, and before the answer
FULL_KIND: Final = 16  # what there was no room in:
FULL_NUMBER: Final = 17  # which table or column
FULL_SIZE: Final = 18  # rows or bytes that are needed
SHARED_NUMBERS: Final = 19

FULL_TABLE: Final = 0
FULL_COLUMN: Final = 1
FULL_UNKNOWN: Final = 2

# Numbers of a structure or list that is open, the document first.
NODE_OPEN: Final = 0
ROW_OPEN: Final = 1  # of its table
LAST_FIELD: Final = 2  # the field before; -1 at first
OBJECT_OPEN: Final = 3  # its number
INDEX: Final = 4  # in the list; -1: in no list
STACK_NUMBERS: Final = 5

# Numbers of an unknown field; addresses in the answer.
NODE_AT: Final = 0  # in which node
NAME_FROM: Final = 1
NAME_TO: Final = 2
VALUE_FROM: Final = 3
VALUE_TO: Final = 4
UNKNOWN_NUMBERS: Final = 5

# Numbers of an entry: an identifier asked for.
PLACE: Final = 0  # in the batch
ASKED_FROM: Final = 1  # address of its text
ASKED_TO: Final = 2
OUTCOME: Final = 3  # what came of it, below
FROM: Final = 4  # address of an odd document, or of the register's refusal
TO: Final = 5  # where it ends; where an entry begins that there was no room for
RECORDED_AT: Final = 6  # the document's latest ajourholdstidspunkt, or NEVER
ENTRY_NUMBERS: Final = 7

NOTHING: Final = 0  # neither a document nor a refusal
LANDED: Final = 1
ODD_DOCUMENT: Final = 2
REFUSED: Final = 3

# In the place of where the entries end:
FULL: Final = -3  # no room left; the shared numbers say where
OTHER_FORM: Final = -4  # not the form that is read here
TAKE_BACK: Final = -1  # in place of an entry's number: undo what was read of the last answer
