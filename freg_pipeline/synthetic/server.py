"""The register over HTTP: its services for each package of rights.

Built from the register's published documentation: paths, forms of answers, statuses and their
error bodies. Under ``/_synthetic/status`` it tells what it was asked, for tests.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.auth import Guard
from freg_pipeline.synthetic.control import Control, FollowingTheClock
from freg_pipeline.synthetic.event_documents import read_xsd
from freg_pipeline.synthetic.faults import Faults, read_faults
from freg_pipeline.synthetic.gateway import Gateway, front_page
from freg_pipeline.synthetic.hendelser import Hendelser
from freg_pipeline.synthetic.limit import Limit
from freg_pipeline.synthetic.living import Living
from freg_pipeline.synthetic.lookups import LookUps
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.packages import PACKAGES, AsPackage, Package
from freg_pipeline.synthetic.personer import Personer
from freg_pipeline.synthetic.problems import ProblemError, answer_problem, feilkode
from freg_pipeline.synthetic.progress import Begin, silently
from freg_pipeline.synthetic.soek import Soek
from freg_pipeline.synthetic.transport import FaultyTransport
from freg_pipeline.synthetic.uttrekk import Uttrekk


def xsd() -> bytes:
    """The contract of the person document that this register serves."""
    return read_xsd("persondokument")


class SyntheticRegister:
    """A register: a population and the services over it.

    Attributes:
        archive: the documents.
        living: makes things happen to the people.
        app: the services as an ASGI application.

    Args:
        options: what is chosen of it.
        begin: is told how far a large population is that must be made first.
    """

    def __init__(self, options: RegisterOptions, begin: Begin = silently) -> None:
        self.options = options
        self._faults = Faults(read_faults(options.faults), options.seed)
        self._requests: Counter[str] = Counter()
        self.archive = Archive(options, begin)
        with ExitStack() as unfinished:
            unfinished.callback(self.archive.close)
            self.living = Living(self.archive, options)
            self._uttrekk = Uttrekk(options, self.archive)
            contract = options.contract or xsd()
            self._lookups = LookUps(noted=options.note_lookups)
            self._personer = Personer(contract, self.archive, self._faults, options, self._lookups)
            self._hendelser = Hendelser(self.archive, self._faults, options)
            self._soek = Soek(self.archive, self._personer.one, options.no_hits)
            self.app = self._application()
            unfinished.pop_all()

    def _application(self) -> Gateway:
        services = [
            *self._uttrekk.routes(),
            *self._soek.routes(),  # before the persons: any name is a person's number there
            *self._personer.routes(),
            *self._hendelser.routes(),
        ]
        clock = Middleware(FollowingTheClock, catch_up=self.living.catch_up)
        mounts = [_mount(package, services, clock) for package in PACKAGES]
        control = Control(self.archive, self.living, self._faults, self._lookups).routes()
        app = Starlette(
            routes=[
                Route("/", front_page),
                *mounts,
                Route("/_synthetic/status", self._status),
                *control,
            ],
            exception_handlers={ProblemError: answer_problem, HTTPException: answer_problem},
        )
        app.router.redirect_slashes = False
        guarded = Guard(app, self.options) if self.options.auth else app
        latency = self.options.latency_ms
        faulty = FaultyTransport(guarded, self._faults, self._requests, latency)
        self._limit = Limit(faulty, self.options.requests_per_minute)
        return Gateway(self._limit)

    def close(self) -> None:
        """Give back what the documents take."""
        self.archive.close()

    async def _status(self, request: Request) -> Response:
        del request
        jobs = self._uttrekk.jobs
        return JSONResponse(
            {
                "requests": dict(self._requests),
                "minutes": self._limit.by_minute(),
                "synthetic": True,
                "jobs": {
                    "ordered": jobs.ordered,
                    "running": jobs.running,
                    "kept": jobs.kept,
                },
                "faults": dict(self._faults.injected),
                "oddities": self._faults.odd_documents,
                "registrations": len(self.archive.people),
                "merged": int(self.archive.people.merged().sum()),
                "documents": len(self.archive),
                "sekvensnummer": self.archive.last_sequence_number,
            }
        )


def _mount(package: Package, services: list[Route], clock: Middleware) -> Mount:
    """A package's own address, and behind it the services that it may call."""
    allowed = [
        route if route.name in package.services else _refused(route, package) for route in services
    ]
    path = f"/folkeregisteret/{package.path}/v1"
    return Mount(path, routes=allowed, middleware=[clock, Middleware(AsPackage, package=package)])


def _refused(route: Route, package: Package) -> Route:
    async def refuse(request: Request) -> Response:
        del request
        text = f"Rettighetspakken {package.name} har ikke tilgang til {route.name}"
        return feilkode(403, "FREG-403", text)

    return Route(route.path, refuse, name=route.name, methods=list(route.methods or ()))
