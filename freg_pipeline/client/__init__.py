"""The register over HTTP: a library of its own (docs/client.md)."""

from freg_pipeline.client.answers import Answer
from freg_pipeline.client.feed import FeedEntry, FeedPage
from freg_pipeline.client.register import Register
from freg_pipeline.client.treff import Treff
from freg_pipeline.client.uttrekk import BatchAnswer, BatchState
from freg_pipeline.criteria.entydig import EntydigKriterier
from freg_pipeline.criteria.soek import SoekKriterier
from freg_pipeline.criteria.tilpasset import TilpassetKriterier

__all__ = [
    "Answer",
    "BatchAnswer",
    "BatchState",
    "EntydigKriterier",
    "FeedEntry",
    "FeedPage",
    "Register",
    "SoekKriterier",
    "TilpassetKriterier",
    "Treff",
]
