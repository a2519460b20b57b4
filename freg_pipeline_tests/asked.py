"""Selections that differ by one criterion each."""

from __future__ import annotations

from typing import Any

from freg_pipeline.client import TilpassetKriterier

SOME = TilpassetKriterier(personstatustyper=("bosatt",))
OTHER_CRITERIA: dict[str, Any] = {
    "personstatustyper": ("bosatt", "doed"),
    "bostedskommunenummer": "0301",
    "oppholdskommunenummer": "0301",
    "foedselsaar_fra_og_med": "1980",
    "foedselsaar_til_og_med": "1990",
    "doedsaar_fra_og_med": "2001",
    "doedsaar_til_og_med": "2009",
    "kjoenn": "kvinne",
    "statsborgerskap": "NOR",
    "sivilstandstype": "gift",
}
