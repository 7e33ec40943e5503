"""The command ``quotidian``."""

import importlib
import inspect
import os
import sys
from typing import Any, Final, NoReturn

import typer
import typer.main
from typer.core import TyperGroup

from quotidian import __version__
from quotidian.errors import QuotidianError
from quotidian.operate.console import fail, remarks

#: The module of each command. It is loaded when the command is: learning needs no web server, a health check no numpy.
PLACES: Final = {
    "learn": "learning",
    "import": "learning",
    "up": "running",
    "serve": "running",
    "daily": "scheduling",
    "weekly": "scheduling",
    "monthly": "scheduling",
    "backfill": "scheduling",
    "jobs": "scheduling",
    "status": "watching",
    "doctor": "doctor",
    "validate": "validating",
    "token": "tokens",
    "patterns": "looking",
    "history": "recalling",
    "suggest": "suggesting",
    "backtest": "suggesting",
    "whatif": "suggesting",
    "install": "automating",
    "uninstall": "automating",
    "automations": "automating",
    "report": "looking",
    "events": "looking",
    "days": "looking",
    "layers": "looking",
    "loss": "losing",
    "mark": "keeping",
    "forget": "keeping",
    "retain": "keeping",
    "store": "storing",
    "backup": "backing",
    "restore": "backing",
    "simulate": "learning",
    "demo": "learning",
}


def _flowing(text: str) -> str:
    r"""Let lines of a docstring end where the terminal does, and keep its examples together and indented.

    >>> print(_flowing("Tell.\n\nOne\nsentence.\n\nExamples:\n\n  a\n\n  b"))
    Tell.
    <BLANKLINE>
    <BLANKLINE>
    One sentence.
    <BLANKLINE>
    Examples:
      a
      b
    """
    first, *rest = inspect.cleandoc(text).split("\n\n")
    told = "".join(f"\n{one}" if one.startswith(" ") else f"\n\n{one.replace(chr(10), ' ')}" for one in rest)
    # Without the third line break typer would take the indentation of examples for that of the text.
    return f"{first}\n{told}" if told else first


class _Commands(TyperGroup):
    """The commands; whatever was foreseen to go wrong in one becomes a sentence and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's own signature
        return [*PLACES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in PLACES:
            return None
        part = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)
        importlib.import_module(f"quotidian.operate.{PLACES[cmd_name]}").register(part)
        command = typer.main.get_group(part).commands[cmd_name]
        for one in (command, *getattr(command, "commands", {}).values()):
            one.help = _flowing(one.help or "")
        return command

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except QuotidianError as error:
            fail(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            remarks.print("Stopped. What was done up to here is kept, and the same command goes on from there.")
            raise typer.Exit(130) from error
        except BrokenPipeError as error:
            # The reader (`head`, say) has seen enough; Python would complain once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from error
        except OSError as error:
            whose = " Run this as the user who runs Quotidian." if isinstance(error, PermissionError) else ""
            fail(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.{whose}")
            raise typer.Exit(1) from error


app = typer.Typer(
    name="quotidian",
    cls=_Commands,
    help="Learns what a home does every day: a Home Assistant history in, its habits out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(*, version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True)) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> NoReturn:
    """Run the command."""
    app()
    sys.exit(0)
