"""Commands that make a backup of the store, and put one in a store's place."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import msgspec
import typer
from rich.markup import escape

from quotidian import clock
from quotidian.errors import CorruptStoreError, SettingError
from quotidian.model.day import moment
from quotidian.operate.console import Stages, answers, as_json, progress, remarks, say
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption
from quotidian.operate.telling import size
from quotidian.settings import Settings
from quotidian.store import Store
from quotidian.store.backup import cipher, restoring
from quotidian.store.backup.archive import Progress
from quotidian.store.backup.file import refuse_little_space, written
from quotidian.store.backup.local import set_aside
from quotidian.store.protocols import Backup

_STANDARD: Final = "-"
PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file with the passphrase. Without it you are asked.", metavar="FILE"),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("backup")(backup_command)
    app.command("restore")(restore_command)


class _Made(msgspec.Struct, frozen=True):
    """What was written: the file (``-`` is standard output), its bytes, and what is in it."""

    file: str
    bytes: int
    encrypted: bool
    home: str
    made: str
    days: int


def backup_command(
    file: Annotated[
        str | None,
        typer.Argument(help="Where to write it (default: quotidian-DATE.tar); - is standard output.", metavar="FILE"),
    ] = None,
    *,
    data: DataOption = None,
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Encrypt it with a passphrase.")] = False,
    passphrase_file: PassphraseOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file that is there.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Only read a backup, and check all of it.")] = False,
    json: JsonOption = False,
) -> None:
    """Write all that is known of the home into one file, also while Quotidian runs.

    Events, summaries, patterns and loss certificates are in it; tokens, secrets and settings are not. The file is a
    plain tar. With a passphrase it is encrypted in the format of age.

    Examples:

      quotidian backup

      quotidian backup /mnt/usb/quotidian.tar --passphrase-file passphrase.txt

      quotidian backup - | ssh nas 'cat > quotidian.tar'

      quotidian backup --verify quotidian-2026-11-22.tar
    """
    with _stoppable("There is no new backup."):
        if verify:
            _verify(_named(file), passphrase_file, json=json)
            return
        passphrase = _chosen(passphrase_file) if encrypt or passphrase_file else None
        with opened(data) as store, progress(quiet=json) as stages:
            made = _made(store, file, passphrase, stages, replace=replace)
    _tell_made(made, json=json)


def restore_command(
    file: Annotated[str, typer.Argument(help="The backup; - is standard input.", metavar="FILE")],
    *,
    data: DataOption = None,
    passphrase_file: PassphraseOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Move a store that is there aside.")] = False,
    json: JsonOption = False,
) -> None:
    """Put a backup in the store's place. Stop Quotidian first.

    The backup is checked before anything is changed. A store that is there is never deleted: with --replace it is moved
    aside. Tokens, secrets and settings stay as they are.

    Examples:

      quotidian restore quotidian-2026-11-22.tar

      quotidian restore quotidian-2026-11-22.tar --data /srv/quotidian --replace
    """
    settings = Settings()
    directory = data or Path(settings.text("QUOTIDIAN_DATA"))
    with _stoppable("Nothing was changed."), _read(file) as stream, progress(quiet=json) as stages:
        told = restoring.restore(
            stream, directory, _asked(passphrase_file, stages), _bar(stages, "restore"), replace=replace
        )
    if json:
        as_json(told)
        return
    say(f"Restored {_content(told)} into {escape(str(told.place))}.")
    if told.aside is not None:
        say(f"What was there before is in {escape(told.aside)}. Delete it when you do not need it any more.")
    if settings.text("QUOTIDIAN_STORE") == "influx":
        say("The days are in files now; `quotidian store copy --from embedded --to influx` moves them to InfluxDB.")
    say("Start Quotidian now. What happened since then is filled in, as far as it can still be had.")


def _verify(file: str, passphrase_file: Path | None, *, json: bool) -> None:
    with _read(file) as stream, progress(quiet=json) as stages:
        told = restoring.verify(stream, _asked(passphrase_file, stages), _bar(stages, "verify"))
    if json:
        as_json(told)
    else:
        say(f"The backup is whole: {_content(told)}.")


def _content(told: restoring.Restored) -> str:
    made = told.made.replace("T", " ").removesuffix("+00:00")
    return f"{told.events:,} events, {told.days} finished days, as of {escape(made)} UTC ({size(told.bytes)})"


def _made(store: Store, file: str | None, passphrase: str | None, stages: Stages, *, replace: bool) -> _Made:
    path = file or f"quotidian-{moment(clock.now(), store.home.zone):%Y-%m-%d}.tar"
    with _sink(path, replace=replace) as sink, closing(store.backup()) as backup:
        try:
            manifest = backup.manifest
        except CorruptStoreError:
            set_aside(store, backup)
            raise
        if path != _STANDARD:
            refuse_little_space(Path(path).expanduser().parent, manifest.size)
        counted = _Counted(sink)
        cipher.write(_shown(backup, stages), manifest.size, counted, passphrase)
        counted.flush()
    return _Made(path, counted.bytes, passphrase is not None, manifest.home, manifest.made, manifest.days)


def _shown(backup: Backup, stages: Stages) -> Iterator[bytes]:
    done, total = 0, backup.manifest.size
    for chunk in backup.chunks():
        yield chunk
        done += len(chunk)
        _bar(stages, "back up")(done, total)


class _Counted:
    """Counts what is written."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink, self.bytes = sink, 0

    def write(self, data: bytes) -> int:
        self.bytes += len(data)
        return self._sink.write(data)

    def flush(self) -> None:
        self._sink.flush()


def _tell_made(made: _Made, *, json: bool) -> None:
    if made.file == _STANDARD:
        # Standard output is the backup itself.
        remarks.print(f"Wrote {size(made.bytes)} with {made.days} finished days.")
    elif json:
        as_json(made)
    else:
        how = ", encrypted" if made.encrypted else ""
        say(f"Wrote {escape(made.file)}: {size(made.bytes)}{how}, with {made.days} finished days.")


def _sink(path: str, *, replace: bool) -> AbstractContextManager[BinaryIO]:
    if path != _STANDARD:
        return written(Path(path), replace=replace)
    if answers.is_terminal:
        raise SettingError("A backup is not for a terminal to show.", "Send it on: quotidian backup - | …")
    return nullcontext(sys.stdout.buffer)


def _read(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == _STANDARD else Path(file).expanduser().open("rb")


def _named(file: str | None) -> str:
    if file is None:
        raise SettingError(
            "No backup is named.", "Name it, as in `quotidian backup --verify quotidian-2026-11-22.tar`."
        )
    return file


def _bar(stages: Stages, name: str) -> Progress:
    """Show what is done in megabytes."""
    return lambda done, total: stages(f"{name} (MB)", done // 1_000_000, total // 1_000_000)


def _chosen(file: Path | None) -> str:
    """Give a new passphrase: of a file, or asked for twice."""
    if file is not None:
        return _first(file)
    with progress() as stages:
        told = stages.secret("Passphrase: ")
        if not told:
            raise SettingError("There is no passphrase.", "Type one, or name a file that has it: --passphrase-file.")
        if stages.secret("The same again: ") != told:
            raise SettingError("The passphrases differ.", "Run this again.")
    return told


def _asked(file: Path | None, stages: Stages) -> Callable[[], str]:
    """Give what gives the passphrase of a backup that turns out to be encrypted."""

    def ask() -> str:
        told = _first(file) if file is not None else stages.secret("Passphrase of the backup: ")
        if not told:
            raise SettingError("The backup is encrypted.", "Name a file that has its passphrase: --passphrase-file.")
        return told

    return ask


def _first(file: Path) -> str:
    try:
        told = file.expanduser().read_text("utf-8").strip("\r\n")
    except UnicodeDecodeError as error:
        raise SettingError(f"{file} is not text.", "Write the passphrase into it, in one line.") from error
    if not told or "\n" in told:
        raise SettingError(f"{file} does not hold one line.", "Write the passphrase into it, in one line.")
    return told


@contextmanager
def _stoppable(outcome: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as error:
        remarks.print(f"Stopped. {outcome}")
        raise typer.Exit(130) from error
