"""What was kept of the register's answers, and made of them by batch, without persons."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict

import msgspec

from freg_pipeline.client.feed import parse_feed
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.erasure.persons import Persons
from freg_pipeline.erasure.survey import Hit, Survey, Told
from freg_pipeline.errors import ObjectMissingError
from freg_pipeline.extract.batches import packed_batch
from freg_pipeline.extract.blank import (
    answer_without,
    batch_without,
    blanked,
    composed_page,
    event_documents_without,
    events_without,
)
from freg_pipeline.feed.own import OwnEvents
from freg_pipeline.journal.keptout import NOBODY, forget_lifted, kept_out
from freg_pipeline.journal.kinds import Liste
from freg_pipeline.journal.raw import pack, read_raw
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.heal import begin_anew
from freg_pipeline.store import Store, read_record
from freg_pipeline.store.record import replace_record

Done = Counter[str]  # objects by what became of them


class _Out:
    """Who is taken out of what is rewritten: all who are kept out by then.

    Somebody may be erasing others at the same time, who has rewritten the same object since this
    one was read: what they have taken out must not come back.
    """

    def __init__(self, store: Store, persons: Persons) -> None:
        self._store = store
        self._persons = persons
        self._kept_out = NOBODY

    def __contains__(self, number: object) -> bool:
        return number in self._persons or number in self._kept_out

    def look(self) -> None:
        """See who is kept out by now."""
        self._kept_out = kept_out(self._store, self._kept_out)


def clean_uttrekk(store: Store, found: Survey, told: Told) -> Done:
    """Take persons out of what was kept of answers, batches and events; return how many objects.

    Tables of batches are removed: what is not released yet lands anew, of what is left. A sync that
    isn't released is given up, and begun anew by the next one, since its parts follow from each
    other.
    """
    done: Done = Counter()
    for hit in found.of("lifted"):
        forget_lifted(store, int(hit.key.split("/")[1]), found.persons.places.keys())
        done["liftings rewritten"] += 1
        told(1)
    out = _Out(store, found.persons)
    by_uttrekk: dict[str, list[Hit]] = defaultdict(list)
    for hit in found.of("answers", "batches", "events", "staging"):
        by_uttrekk[hit.place].append(hit)
    for name, hits in by_uttrekk.items():
        uttrekk = Uttrekk(store, name)
        if uttrekk.exists and uttrekk.kind.is_sync and uttrekk.release is None:
            begin_anew(uttrekk, "")
            done["syncs given up"] += 1
            told(len(hits))
        else:
            done += _clean(uttrekk, hits, _Rewriting(uttrekk, found, out), told)
    return done


def _clean(uttrekk: Uttrekk, hits: list[Hit], rewriting: _Rewriting, told: Told) -> Done:
    done: Done = Counter()
    for hit in hits:
        told(1)
        if hit.area == "staging":
            _drop_staging(uttrekk, hit.key)
            done["staging tables removed"] += 1
            continue
        try:
            rewriting.rewrite(hit)
        except ObjectMissingError:  # it was removed since
            continue
        done[f"{hit.area} rewritten"] += 1
        if hit.area == "answers":  # what is staged of it may be of another form than is found
            _drop_staging(uttrekk, hit.key)
    if any(hit.area == "batches" for hit in hits):
        _tell_list(uttrekk)
    return done


def _drop_staging(uttrekk: Uttrekk, key: str) -> None:
    store, folder = uttrekk.store, key.rpartition("/")[0]
    if "/hendelser/" in key:
        store.delete(f"{folder}/done.json")  # first: what is left is not done
        store.delete_all(store.list(f"{folder}/"))
        return
    tables = folder.replace("/answers/", "/tables/")
    store.delete(f"{tables}/done.json")
    store.delete_all(store.list(f"{tables}/"))


class _Rewriting:
    """Objects of an uttrekk, written anew without whoever is out."""

    def __init__(self, uttrekk: Uttrekk, found: Survey, out: _Out) -> None:
        self._uttrekk = uttrekk
        self._store = uttrekk.store
        self._documents = found.events.documents
        self._out = out

    def rewrite(self, hit: Hit) -> None:
        """Write an object anew."""
        store = self._store
        self._out.look()
        if hit.key.endswith("/egne.json"):
            told = read_record(store, hit.key, OwnEvents)
            left = [
                one for one in told.hendelser if one.folkeregisteridentifikator not in self._out
            ]
            replace_record(store, hit.key, msgspec.structs.replace(told, hendelser=left))
            return
        meta, body = read_raw(store, hit.key)
        if hit.area == "batches":
            kind, identifiers = parse_batch(body)
            numbers = batch_without(identifiers, self._out)
            if numbers is not None:
                kind = kind or "foedselsEllerDNummer"
                store.replace(hit.key, packed_batch(hit.key, kind, numbers))
            return
        body = self._without(hit, body)
        meta = msgspec.structs.replace(meta, size=len(body), composed=True)
        store.replace(hit.key, pack(hit.key, body, meta))

    def _without(self, hit: Hit, body: bytes) -> bytes:
        if hit.area == "answers":
            batch = int(hit.key.split("/")[-2])
            kind = _view(self._uttrekk, hit.key).identifier_kind(batch)
            return answer_without(body, kind, self._out) or body
        if hit.what == "page":
            return blanked(composed_page(events_without(parse_feed(body), self._out)), self._out)
        return event_documents_without(body, self._out, self._documents) or body


def _view(uttrekk: Uttrekk, key: str) -> Uttrekk:
    """The view of the job that an object came of."""
    parts = key.split("/")
    view = Uttrekk(uttrekk.store, uttrekk.name)
    if parts[2] == "jobs":
        view.job = int(parts[3])
    elif view.job > 1:
        view = view.earlier_jobs()[0]
    return view


def _tell_list(uttrekk: Uttrekk) -> None:
    """Of a list of one's own the hash of what is left of it: that of a short one can be guessed."""
    request = uttrekk.request
    if not isinstance(request.question.kind, Liste):
        return
    digest = hashlib.sha256()
    for batch in range(uttrekk.end or 0):
        for number in uttrekk.identifiers(batch):
            digest.update(number.encode())
    kind = msgspec.structs.replace(request.question.kind, sha256=digest.hexdigest())
    question = msgspec.structs.replace(request.question, kind=kind)
    told: Request = msgspec.structs.replace(request, question=question)
    replace_record(uttrekk.store, uttrekk.key("request.json"), told)
