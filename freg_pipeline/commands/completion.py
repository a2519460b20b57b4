"""What a shell completes after ``freg``: what the store holds by name, and the words of settings.

``freg completion SHELL`` prints what makes a shell ask. What it asks is answered by each option and
argument that names one of the functions here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, get_args

import click
from click.shell_completion import get_completion_class

from freg_pipeline.commands import opening

if TYPE_CHECKING:
    from freg_pipeline.store import Store

Completes = Callable[[click.Context, click.Parameter, str], list[str]]

SHELLS = ("bash", "zsh", "fish")


def one_of(words: Callable[[], Iterable[str]]) -> Completes:
    """Complete from words that are told when they are needed."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        del context, parameter
        return [word for word in words() if word.startswith(begun)]

    return complete


def environments() -> Iterable[str]:
    """The names of the register's environments."""
    from freg_pipeline.settings import Environment

    return get_args(Environment)


def packages() -> Iterable[str]:
    """The names of the packages of rights."""
    from freg_pipeline.client.packages import PACKAGES

    return PACKAGES


def codes(criterion: str) -> Iterable[str]:
    """The codes that a criterion takes, where it takes no others."""
    from freg_pipeline.criteria.rules import KJOENN, OPPLYSNINGSGRUNNLAG
    from freg_pipeline.criteria.tilpasset import PERSONSTATUSTYPER, SIVILSTANDSTYPER

    known = {
        "personstatustyper": PERSONSTATUSTYPER,
        "sivilstandstype": SIVILSTANDSTYPER,
        "kjoenn": KJOENN,
        "opplysningsgrunnlag": OPPLYSNINGSGRUNNLAG,
    }
    return known.get(criterion, ())


def _every_uttrekk(store: Store) -> Iterable[str]:
    from freg_pipeline.journal.uttrekk import all_names

    return all_names(store)


def _open_uttrekk(store: Store) -> Iterable[str]:
    from freg_pipeline.journal.uttrekk import open_names

    return open_names(store)


def _releases(store: Store) -> Iterable[str]:
    from freg_pipeline.journal.pointer import numbers

    return numbers(store)


def _pins(store: Store) -> Iterable[str]:
    return (key.removeprefix("pins/").removesuffix(".json") for key in store.list("pins/"))


def _kept(names: Callable[[Store], Iterable[str]]) -> Completes:
    """Complete from what the store holds. Where there is no store there is nothing to complete.

    The names follow from where objects lie: none is opened, and none is written.
    """

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        del parameter
        from freg_pipeline.errors import FregError

        try:
            with context.scope(cleanup=False):
                return sorted({name for name in names(opening.store()) if name.startswith(begun)})
        except FregError:  # a wrong setting is told by the command itself, once it is run
            return []

    return complete


EVERY_UTTREKK = _kept(_every_uttrekk)
OPEN_UTTREKK = _kept(_open_uttrekk)
RELEASES = _kept(_releases)
PINS = _kept(_pins)


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what makes a shell complete what freg takes.

    \b
    bash: echo 'source <(freg completion bash)' >> ~/.bashrc
    zsh:  echo 'source <(freg completion zsh)' >> ~/.zshrc
    fish: freg completion fish > ~/.config/fish/completions/freg.fish
    """
    root = click.get_current_context().find_root()
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click completes nothing for {shell}")
    click.echo(made(root.command, {}, "freg", "_FREG_COMPLETE").source())
