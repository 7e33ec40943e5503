"""Commands for the tokens with which people and programs are let in."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from quotidian.errors import NotFoundError, SettingError
from quotidian.model.day import moment
from quotidian.operate.console import answers, as_json, remarks, say
from quotidian.operate.options import DataOption, JsonOption
from quotidian.service.access import Access
from quotidian.settings import Settings

NameArgument = Annotated[str, typer.Argument(help="What the token is for, such as laptop.", metavar="NAME")]

tokens = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(tokens, name="token")


@tokens.callback()
def token_command() -> None:
    """Make, list and revoke the tokens that let people and programs in.

    Examples:

      quotidian token new laptop

      quotidian token list

      quotidian token revoke laptop
    """


@tokens.command("new")
def new_command(name: NameArgument, *, data: DataOption = None, json: JsonOption = False) -> None:
    """Make a token and print it, this once; only its hash is kept.

    Example:

      quotidian token new laptop > token.txt
    """
    if not name.isprintable() or not name.strip():
        raise SettingError("A token's name must be text that can be read.", "Name it after what will use it.")
    access = _access(data)
    if any(token.name == name for token in access.tokens):
        raise SettingError(f"There is a token {name!r} already.", "Choose another name, or revoke that one first.")
    token = access.give(name)
    if json:
        as_json({"name": name, "token": token})
        return
    typer.echo(token)
    remarks.print("It is shown only now. Send it as the header 'Authorization: Bearer TOKEN'.")


@tokens.command("list")
def list_command(*, data: DataOption = None, json: JsonOption = False) -> None:
    """List the tokens that were made and not revoked; they themselves are not kept.

    Example:

      quotidian token list
    """
    given = _access(data).tokens
    if json:
        as_json([{"name": token.name, "created": token.created} for token in given])
        return
    if not given:
        say("No tokens. `quotidian token new NAME` makes one.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("name")
    table.add_column("made")
    for token in given:
        table.add_row(escape(token.name), f"{moment(token.created):%Y-%m-%d %H:%M} UTC")
    answers.print(table)


@tokens.command("revoke")
def revoke_command(name: NameArgument, *, data: DataOption = None) -> None:
    """Take a token back; whoever has it is let in no more, at once.

    Example:

      quotidian token revoke laptop
    """
    if not _access(data).revoke(name):
        raise NotFoundError(f"There is no token {name!r}.", "`quotidian token list` lists them.")
    say(f"{escape(name)} is let in no more.")


def _access(data: Path | None) -> Access:
    return Access(Settings().replaced(QUOTIDIAN_DATA=None if data is None else str(data)))
