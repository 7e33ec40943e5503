"""The command ``quotidian``."""

import os
import sys
from typing import NoReturn

import pyarrow as pa
import typer

from quotidian import __version__
from quotidian.errors import QuotidianError
from quotidian.operate import keeping, learning, looking
from quotidian.operate.console import fail, remarks

app = typer.Typer(
    name="quotidian",
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


for part in (learning, looking, keeping):
    part.register(app)


def main() -> NoReturn:
    """Run the command; every error that was foreseen becomes one sentence and exit code 1."""
    # Arrow's own pool keeps what it once had; on a small machine the system gets it back.
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        app(standalone_mode=True)
    except QuotidianError as error:
        fail(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        remarks.print("Stopped. What was done up to here is kept, and the same command goes on from there.")
        sys.exit(130)
    except BrokenPipeError:
        # The reader (`head`, say) has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(0)
