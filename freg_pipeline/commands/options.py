"""What commands share: flags over settings, the store, one question to the register."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from freg_pipeline.commands.completion import codes, environments, one_of, packages

if TYPE_CHECKING:
    from freg_pipeline.client import Register
    from freg_pipeline.client.answers import Answer
    from freg_pipeline.criteria.described import Criterion
    from freg_pipeline.settings import Settings
    from freg_pipeline.store import Store

F = TypeVar("F", bound=Callable[..., Any])
K = TypeVar("K", bound=msgspec.Struct)

_FLAGS: dict[str, tuple[Any, str]] = {
    "store": (str, "A folder or s3://bucket/prefix."),
    "environment": (str, "Which register: syntetisk, konsumenttest, produksjon, …"),
    "base-url": (str, "Everything before /v1; overrides environment and package."),
    "rettighetspakke": (str, "The package of rights (rettighetspakke)."),
    "parts": (str, "Comma-separated parts to ask for.  [default: everything]"),
    "s3-endpoint": (str, "An S3 endpoint other than the default."),
    "concurrency": (int, "Look-ups in flight at once."),
    "requests-per-minute": (int, "Upper limit on all requests together."),
    "poll-seconds": (float, "Seconds between polls for a batch."),
    "poll-timeout-hours": (float, "Hours to wait for a batch."),
}
_WORDS = {"environment": one_of(environments), "rettighetspakke": one_of(packages)}


def remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Take a flag for the setting of its name; to be an option's callback."""
    if value is not None and value is not False:
        context.ensure_object(dict)[parameter.name] = value


class Setting(click.Option):
    """A flag over a setting. freg's own help describes each, a command's that there are some."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Its name and meaning; of a command's settings one line for them all, at the first."""
        if ctx.parent is None:
            return super().get_help_record(ctx)
        if self.name != next(iter(_FLAGS)):
            return None
        return "--store, --environment, …", "Settings, as flags; freg --help lists them."


def with_settings(command: F) -> F:
    """Give a command the flags that win over the environment's settings."""
    debug = click.option(
        "--debug",
        cls=Setting,
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Show tracebacks.",
    )
    command = debug(command)
    for name, (kind, text) in reversed(_FLAGS.items()):
        option = click.option(
            f"--{name}",
            cls=Setting,
            type=kind,
            expose_value=False,
            callback=remember,
            help=text,
            shell_complete=_WORDS.get(name),
        )
        command = option(command)
    return command


_STRICTNESS = {
    "allow_incomplete": "Release even if some look-ups failed.",
    "accept_contract": "Release even if a contract change breaks queries.",
    "allow_other_kind": "Release even if it replaces one of another kind or selection.",
    "allow_fewer": "Release even if it holds far fewer persons or rows than the current one.",
}


def with_strictness(command: F) -> F:
    """Give a command the flags that let a release through all the same."""
    for name, text in reversed(_STRICTNESS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, is_flag=True, help=text)(
            command
        )
    return command


def settings(form: str | None = None) -> Settings:
    """The settings in force: flags over environment. Raises ConfigurationError.

    Args:
        form: json or xml, over what the settings say.
    """
    import stamina

    from freg_pipeline.settings import load

    # The client tells each retry itself. Of a library's user the hooks are their own to set; this
    # process is ours.
    stamina.instrumentation.set_on_retry_hooks([])
    given = dict(click.get_current_context().ensure_object(dict))
    given.pop("debug", None)
    return load(**given, answer_format=form)


def store() -> Store:
    """The store that the settings name. Raises StoreError."""
    from freg_pipeline.store import open_store

    return open_store(settings())


_ONE_AT_A_TIME = {"personstatustyper": "personstatustype"}


def with_criteria(kriterier: type[msgspec.Struct]) -> Callable[[F], F]:
    """Give a command an option for each criterion of a service."""
    from freg_pipeline.criteria.described import criteria_of

    def add(command: F) -> F:
        for one in reversed(criteria_of(kriterier)):
            flag = "--" + _ONE_AT_A_TIME.get(one.name, one.name).replace("_", "-")
            command = click.option(flag, one.name, **_details(one))(command)
        return command

    return add


def _details(one: Criterion) -> dict[str, Any]:
    """How a criterion is given as an option."""
    if one.sort is bool:
        return {"help": one.meaning, "is_flag": True}
    return {
        "help": f"{one.meaning.rstrip('.')}; may be repeated." if one.several else one.meaning,
        "type": one.sort,
        "multiple": one.several,
        "shell_complete": one_of(lambda: codes(one.name)),
    }


def split_criteria(kriterier: type[K], options: dict[str, Any]) -> tuple[K, dict[str, Any]]:
    """The criteria of :func:`with_criteria`, and a command's other options.

    Raises:
        ConfigurationError: a criterion is wrong.
    """
    names = kriterier.__struct_fields__
    others = {name: value for name, value in options.items() if name not in names}
    return kriterier(**{name: options[name] for name in names}), others


_PLAIN_PATH = re.compile(r"[\w/.-]+")  # whatever else a path holds is for the settings to judge


def store_to_read() -> Store:
    """The store that the settings name, for who only reads it.

    Of a local one with a plain name no more is imported than that takes, and no other setting is
    looked at.

    Raises:
        ConfigurationError: a setting is wrong.
        StoreError: the store can't be used.
    """
    given = click.get_current_context().ensure_object(dict)
    named = given.get("store") or next(
        (value for name, value in os.environ.items() if name.upper() == "FREG_STORE"), ""
    )
    path = Path(named).absolute()
    if given.keys() - {"store", "debug"} or not named or not _PLAIN_PATH.fullmatch(str(path)):
        return store()
    from freg_pipeline.store.local import LocalStore

    return LocalStore(path)


def with_format(command: F) -> F:
    """Give a command the choice of the form in which the register answers."""
    return click.option(
        "--format", "form", type=click.Choice(["json", "xml"]), help="[default: json]"
    )(command)


def with_form(command: F) -> F:
    """Give a command the choice between a table to look at and JSON."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json"]),
        default="table",
        help="How to tell it.",
    )(command)


def output_place(named: str) -> Path | Store:
    """Where a copy goes: a folder, or a place on S3."""
    if not named.startswith("s3://"):
        return Path(named)
    from freg_pipeline.store import open_store

    return open_store(settings().model_copy(update={"store": named}))


def ask(question: Callable[[Register], Any], form: str | None = None) -> Any:
    """Ask the register one thing.

    Args:
        question: as :class:`~freg_pipeline.client.session.Session` takes it: it runs in another
            thread, in which there is no command, and so neither :func:`settings` nor :func:`store`.
        form: json or xml, else as the settings say.
    """
    from freg_pipeline.client import Register
    from freg_pipeline.client.environments import base_url
    from freg_pipeline.client.session import Session
    from freg_pipeline.errors import StoreError
    from freg_pipeline.journal.home import has_met
    from freg_pipeline.store import open_store

    asked = settings(form)

    def known() -> bool:
        try:
            return has_met(open_store(asked), base_url(asked))
        except StoreError:  # a question needs none
            return False

    with Session(lambda: Register.from_settings(asked, known=known)) as session:
        return session.ask(question)


def given_or_read(value: str, what: str) -> str:
    """A value of the command line; ``-``: the next line of stdin, hidden where it is typed.

    So that no number stands in the list of processes, which all on a machine see, nor in a shell's
    history.

    Raises:
        ConfigurationError: there is no such line.
    """
    if value != "-":
        return value
    from freg_pipeline.errors import ConfigurationError

    if sys.stdin is not None and sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    line = "" if sys.stdin is None else sys.stdin.readline()
    if not line.strip():
        raise ConfigurationError(f"there is no {what} on stdin", "Give it as a line")
    return line.strip()


def note_question(command: str) -> None:
    """Note that somebody asks the register for persons, before they do.

    Raises:
        ConfigurationError: it can't be noted, and FREG_ACCESS_LOG_REQUIRED is set.
    """
    from freg_pipeline.errors import StoreError
    from freg_pipeline.journal.access_log import note_access, own_log

    try:
        lies = store()
    except StoreError:  # a question needs none
        lies = own_log()
    note_access(lies, command)


async def parts_of(register: Register, configured: tuple[str, ...]) -> tuple[str, ...]:
    """The parts to ask for in one look-up; "all but" is read by the contract in force.

    Args:
        register: whom to ask.
        configured: as settings name them.
    """
    from freg_pipeline.contract import compile_contract
    from freg_pipeline.extract.parts import ALL
    from freg_pipeline.extract.probe import chosen_parts

    if ALL not in configured:
        return configured
    plan = compile_contract(await register.personer.xsd())
    return (await chosen_parts(register, configured, plan))[0].landed


def show(answer: Answer) -> None:
    """Print an answer, and nothing else: JSON so that people can read it, XML as it came."""
    import msgspec

    from freg_pipeline.envelope import is_xml
    from freg_pipeline.readable import read_json

    def indented(body: bytes) -> bytes:
        return msgspec.json.format(body, indent=2)

    body = answer.body
    if not is_xml(body):
        with suppress(ValueError):  # what is no JSON is shown as it came, too
            body = read_json(indented, body)
    write(body + b"\n")


def write(body: bytes) -> None:
    """Put bytes on stdout, and see that they got there."""
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()
