"""Raw answers + the plan -> Arrow tables and staging files; quarantine for what is odd."""

from freg_pipeline.normalize.batch import BatchReader, BatchTables, normalize_batch
from freg_pipeline.normalize.from_xml import json_answer
from freg_pipeline.normalize.read import Chunk

__all__ = ["BatchReader", "BatchTables", "Chunk", "json_answer", "normalize_batch"]
