"""The contract: an XSD compiled into an element model, and that into the plan of tables."""

from functools import lru_cache

from freg_pipeline.contract.compare import Change, ChangeKind, compare, incompatible
from freg_pipeline.contract.identity import Identity
from freg_pipeline.contract.model import Contract, Field, Simple, Structure, ValueKind
from freg_pipeline.contract.names import snake_case
from freg_pipeline.contract.plan import Column, Plan, Table, make_plan
from freg_pipeline.contract.xsd import fingerprint, read_contract

__all__ = [
    "Change",
    "ChangeKind",
    "Column",
    "Contract",
    "Field",
    "Identity",
    "Plan",
    "Simple",
    "Structure",
    "Table",
    "ValueKind",
    "compare",
    "compile_contract",
    "fingerprint",
    "incompatible",
    "read_contract",
    "snake_case",
]


@lru_cache(maxsize=8)  # a plan doesn't change, and each step of a sync asks for it
def compile_contract(xsd: bytes) -> Plan:
    """Return the plan of tables for an XSD.

    Raises:
        ContractError: the XSD can't be compiled; names the place.
    """
    return make_plan(read_contract(xsd))
