"""The documents that every subject reads: answers of the synthetic register, one file a look-up."""

from __future__ import annotations

import asyncio
from pathlib import Path

from freg_pipeline.client import BatchState, Register
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.extract.contracts import fetch_contract
from freg_pipeline.extract.parts import everything
from freg_pipeline.journal.uttrekk import chunks
from freg_pipeline.settings import load
from freg_pipeline.store import open_store
from freg_pipeline.synthetic import RegisterOptions, running


def make_documents(folder: Path, persons: int) -> None:
    """Write ``contract.xsd`` and the answers to every look-up of a komplett uttrekk."""
    with running(RegisterOptions(persons=persons, batch_size=persons)) as base_url:
        asyncio.run(_fetch(folder, base_url))


async def _fetch(folder: Path, base_url: str) -> None:
    settings = load(base_url=base_url, store=str(folder / "store"))
    async with Register.from_settings(settings) as register:
        plan = (await fetch_contract(open_store(settings), register, None)).plan
        (folder / "contract.xsd").write_bytes(await register.personer.xsd())
        job = await register.uttrekk.bestill_komplett(
            await register.hendelser.siste_sekvensnummer()
        )
        batch = await register.uttrekk.batch(job, 0)
        while batch.state is BatchState.NOT_READY:
            await asyncio.sleep(0.1)
            batch = await register.uttrekk.batch(job, 0)
        assert batch.raw is not None
        _, identifiers = parse_batch(batch.raw.body)
        for number, asked in enumerate(chunks(identifiers)):
            answer = await register.personer.bulkoppslag_arkiv(asked, everything(plan))
            (folder / f"{number:05d}.json").write_bytes(answer.body)
