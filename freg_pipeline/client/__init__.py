"""The register over HTTP."""

from freg_pipeline.client.entydigsoek import EntydigKriterier
from freg_pipeline.client.kriterier import TilpassetKriterier
from freg_pipeline.client.register import Register
from freg_pipeline.client.soek import SoekKriterier
from freg_pipeline.client.uttrekk import BatchState

__all__ = ["BatchState", "EntydigKriterier", "Register", "SoekKriterier", "TilpassetKriterier"]
