"""Claims about how services are run: one process, in order, stopped by one signal."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import aiohttp
import pytest
import structlog
from fastapi import FastAPI

from quotidian.errors import SettingError, StoreBusyError
from quotidian.service.run import listening, serve

from .apps import ask
from .plain import plain_app


def environment(folder: Path) -> dict[str, str]:
    """Make settings in a folder."""
    return {"QUOTIDIAN_DATA": str(folder)}


async def served_until(app: FastAPI, task: "asyncio.Task[None]") -> str:
    """Wait until an application answers; give its address."""
    async with asyncio.timeout(10):
        while not task.done():
            try:
                host, port = app.state.address
                await ask("GET", f"http://{host}:{port}/health")
            except (aiohttp.ClientError, TypeError):
                await asyncio.sleep(0.01)
            else:
                return f"http://{host}:{port}"
    raise AssertionError("it ended")


class TestServe:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_the_first_starts_first_and_stops_last(self, tmp_path: Path, number: signal.Signals) -> None:
        """One signal stops all, and handlers of signals are given back."""
        noted: list[str] = []
        apps = [plain_app(environment(tmp_path), noted, name) for name in ("store", "enrich")]
        before = signal.getsignal(number)

        async def run() -> None:
            task = asyncio.create_task(serve([(app, 0) for app in apps], "127.0.0.1"))
            for app in apps:
                await served_until(app, task)
            os.kill(os.getpid(), number)
            await task

        asyncio.run(run())
        assert noted == ["store starts", "enrich starts", "enrich stops", "store stops"]
        assert signal.getsignal(number) == before

    def test_one_line_says_where_all_of_them_are(self, tmp_path: Path) -> None:
        """Each name stands in it with its address."""
        apps = [plain_app(environment(tmp_path), name=name) for name in ("store", "enrich")]

        async def run() -> None:
            await serve([(app, 0) for app in apps], "127.0.0.1", ready=lambda: os.kill(os.getpid(), signal.SIGINT))

        with structlog.testing.capture_logs() as logged:
            asyncio.run(run())
        told = [entry for entry in logged if entry["log_level"] == "info"]
        assert [entry["event"] for entry in told] == ["serving", "stopping"]
        assert told[0]["store"] == "{}:{}".format(*apps[0].state.address)
        assert told[0]["enrich"] == "{}:{}".format(*apps[1].state.address)

    def test_a_request_that_runs_may_end(self, tmp_path: Path) -> None:
        """Who was let in before the signal gets an answer."""
        app = plain_app(environment(tmp_path))
        reached, go_on = asyncio.Event(), asyncio.Event()

        @app.get("/slow")
        async def _slow() -> str:
            reached.set()
            await go_on.wait()
            return "done"

        async def run() -> int:
            task = asyncio.create_task(serve([(app, 0)], "127.0.0.1"))
            asked = asyncio.create_task(ask("GET", await served_until(app, task) + "/slow"))
            await reached.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
            go_on.set()
            await task
            return (await asked)[0]

        assert asyncio.run(run()) == 200

    def test_what_a_service_raises_at_its_start_is_raised(self, tmp_path: Path) -> None:
        """An error comes as it is, and what had been started is stopped."""
        noted: list[str] = []
        good, bad = plain_app(environment(tmp_path), noted), plain_app(environment(tmp_path))

        class _Failing:
            def __init__(self, _: FastAPI) -> None:
                pass

            async def __aenter__(self) -> None:
                raise StoreBusyError("It is busy.")

            async def __aexit__(self, *_: object) -> None:
                pass

        bad.router.lifespan_context = _Failing
        with pytest.raises(StoreBusyError):
            asyncio.run(serve([(good, 0), (bad, 0)], "127.0.0.1"))
        assert noted == ["plain starts", "plain stops"]

    def test_a_port_in_use_is_named_and_nothing_is_started(self, tmp_path: Path) -> None:
        """The message names the port and the setting."""
        noted: list[str] = []
        with listening("127.0.0.1", 0) as taken:
            port = taken.getsockname()[1]
            app = plain_app(environment(tmp_path), noted)
            with pytest.raises(SettingError, match=f"Port {port} is in use.*QUOTIDIAN_PORT"):
                asyncio.run(serve([(app, port)], "127.0.0.1"))
        assert noted == []

    @pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a..b", "1.2.3.4.5"])
    def test_a_host_that_is_not_ours_is_named(self, host: str) -> None:
        """The message names the setting."""
        with pytest.raises(SettingError, match="QUOTIDIAN_HOST"), listening(host, 0):
            pass

    def test_small_answers_are_sent_at_once(self, tmp_path: Path) -> None:
        """The connections do not wait for acknowledgements (Nagle's algorithm is off)."""
        found: list[int] = []

        async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            sock = writer.get_extra_info("socket")
            found.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async def run() -> None:
            with listening("127.0.0.1", 0) as taken:
                async with await asyncio.start_server(note, sock=taken):
                    reader, writer = await asyncio.open_connection(*taken.getsockname())
                    await reader.read()
                    writer.close()

        asyncio.run(run())
        assert found == [1]

    def test_it_listens_on_ipv6_too(self) -> None:
        """An address with colons is one of IPv6."""
        with listening("::1", 0) as taken:
            assert taken.family is socket.AF_INET6
