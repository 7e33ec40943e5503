"""Claims about a backup that a running service sends."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from quotidian.clients import StoreClient
from quotidian.errors import CorruptStoreError, DiskFullError
from quotidian.model import DeadLetter, Enriched
from quotidian.settings import Settings
from quotidian.store import connect
from quotidian.store.app import create_app
from quotidian.store.backup.local import LocalBackup
from quotidian.store.embedded.archive import DamagedDayError
from quotidian.store.embedded.ledger import LedgerDay
from quotidian.store.remote import BACKUP, RemoteStore

from ..service.apps import SECRET, ask, served  # noqa: TID252 - tests are no package
from .backups import OLDER, archive_of, content, filled, restored
from .delivered import DAYS, MONDAY, SIZE, delivery


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give a store with something in every layer."""
    filled(tmp_path / "store", OLDER)
    return tmp_path / "store"


def tried(directory: Path, work: Callable[[str], Awaitable[Any]]) -> Any:
    """Do something while the store is served."""

    async def run() -> Any:
        settings = Settings({"QUOTIDIAN_DATA": str(directory), "QUOTIDIAN_SECRET": SECRET})
        async with served(create_app(settings)) as url:
            return await work(url)

    return asyncio.run(run())


def remote(directory: Path) -> RemoteStore:
    """Connect as a command does."""
    found = connect(directory, Settings({"QUOTIDIAN_SECRET": SECRET}))
    assert isinstance(found, RemoteStore)
    return found


def test_a_command_gets_it_from_the_service(directory: Path, tmp_path: Path) -> None:
    """It has what the store has, and its size is announced."""

    async def work(url: str) -> bytes:
        return await asyncio.to_thread(lambda: archive_of(remote(directory)))

    restored(tried(directory, work), tmp_path / "new")
    assert content(tmp_path / "new") == content(directory)


def test_a_day_that_changed_meanwhile_is_no_damage(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another moment is taken."""
    gathered, tries = LocalBackup._gathered, [1, 2]

    def changed(backup: LocalBackup) -> list[LedgerDay]:
        if tries:
            tries.pop()
            backup.damaged = MONDAY
            raise DamagedDayError(MONDAY, "it is another one.", "")
        return gathered(backup)

    monkeypatch.setattr(LocalBackup, "_gathered", changed)

    async def work(url: str) -> bytes:
        return await asyncio.to_thread(lambda: archive_of(remote(directory)))

    assert tried(directory, work)
    assert not tries
    assert not [*(directory / "snapshot").iterdir()]


def test_it_needs_a_token_also_where_reading_is_open(directory: Path) -> None:
    """Everything is in it, and it takes space on the disk."""

    async def work(url: str) -> list[int]:
        return [(await ask("GET", url + BACKUP, token))[0] for token in (None, "qt_made_up", SECRET)]

    assert tried(directory, work) == [401, 401, 200]


def test_deliveries_go_on_while_it_is_sent(directory: Path, tmp_path: Path) -> None:
    """A client that reads slowly keeps nobody waiting; what is delivered meanwhile is not in it."""
    enlarged(directory)

    async def work(url: str) -> bytes:
        client = StoreClient(url, SECRET)
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with aiohttp.ClientSession() as session, session.get(url + BACKUP, headers=headers) as answer:
            first = await answer.content.readexactly(1000)
            for number in range(OLDER, OLDER + 3):
                assert (await asyncio.wait_for(client.receive(delivery(number)), 10)).new == DAYS
            rest = await answer.content.read()
        await client.close()
        return first + rest

    restored(tried(directory, work), tmp_path / "new")
    for place, deliveries in ((tmp_path / "new", OLDER), (directory, OLDER + 3)):
        with closing(connect(place, Settings({}))) as store:
            assert store.received("victim") == deliveries * SIZE
            assert store.verify().fault is None


def test_whoever_goes_away_leaves_nothing_behind(directory: Path) -> None:
    """A client that breaks off in the middle: the space is given back, and the next one is served."""
    enlarged(directory)

    async def work(url: str) -> None:
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with aiohttp.ClientSession() as session:
            async with session.get(url + BACKUP, headers=headers) as answer:
                await answer.content.readexactly(1000)
                assert [*(directory / "snapshot").iterdir()]
            async with asyncio.timeout(20):
                while [*(directory / "snapshot").iterdir()]:
                    await asyncio.sleep(0.01)
            async with session.get(url + BACKUP, headers=headers) as answer:
                assert answer.status == 200

    tried(directory, work)


def enlarged(directory: Path) -> None:
    """Let a store take more room than the sockets between two processes."""
    letters = [DeadLetter(seq=seq, arrived=seq, reason="no", text=f"{seq:016}" * 1000) for seq in range(1, 2001)]
    with closing(connect(directory, Settings({}))) as store:
        store.receive(Enriched(stream="large", first=1, last=2000, letters=letters))


def test_a_damaged_day_is_said_and_set_aside(directory: Path) -> None:
    """The command hears the same sentence as without a service, and the next backup goes without the day."""
    damaged = next(directory.glob("events/*/*/*"))
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"#" * 9)

    async def work(url: str) -> bytes:
        with pytest.raises(CorruptStoreError, match="is not what was written"):
            await asyncio.to_thread(lambda: archive_of(remote(directory)))
        assert not [*(directory / "snapshot").iterdir()]
        return await asyncio.to_thread(lambda: archive_of(remote(directory)))

    again = tried(directory, work)
    assert restored(again, directory.with_name("new")).days == DAYS - 2


def test_little_space_is_said(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error of the same kind, with the figures."""

    async def work(url: str) -> None:
        usage = shutil.disk_usage("/")._replace(free=1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(DiskFullError, match="are needed"):
            await asyncio.to_thread(lambda: archive_of(remote(directory)))

    tried(directory, work)
