"""Where objects lie: a local folder or a prefix on S3, behind one small protocol.

State is what lies in the store: an object is immutable, under a name that can be computed, written
once and whole. Done means that it is there. The only object that is ever replaced is the pointer to
the current release.
"""

from freg_pipeline.store.base import Store, is_there
from freg_pipeline.store.opening import open_store
from freg_pipeline.store.record import read_record, recall_record, write_record

__all__ = ["Store", "is_there", "open_store", "read_record", "recall_record", "write_record"]
