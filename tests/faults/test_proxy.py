"""The proxy of the fault tests breaks what it says, and nothing else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .proxy import Proxy


class Echo:
    """A server that gives back what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with closing(connection):
                self._echo(connection)

    def _echo(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(1000):
                self.heard += data
                connection.sendall(data)
        except OSError:
            return

    def close(self) -> None:
        """End the server."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.fixture
def proxied() -> Iterator[tuple[Echo, Proxy, socket.socket]]:
    """Give an echo behind a proxy, and a connection that works."""
    echo = Echo()
    with Proxy(echo.port) as proxy, closing(socket.create_connection(("127.0.0.1", proxy.port), 10)) as client:
        client.sendall(b"a")
        assert client.recv(10) == b"a"
        yield echo, proxy, client
    echo.close()


def test_a_lost_answer_was_delivered(proxied: tuple[Echo, Proxy, socket.socket]) -> None:
    """The request reaches the server, the client sees a reset."""
    echo, proxy, client = proxied
    proxy.losing = 1
    client.sendall(b"b")
    with pytest.raises(ConnectionResetError):
        client.recv(10)
    assert (echo.heard, proxy.lost) == (b"ab", 1)


def test_while_silent_nothing_passes_and_nothing_ends(proxied: tuple[Echo, Proxy, socket.socket]) -> None:
    """A silent proxy keeps the connection; afterwards what was sent arrives."""
    echo, proxy, client = proxied
    proxy.silent = True
    client.sendall(b"b")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(10)
    assert echo.heard == b"a"
    proxy.silent = False
    client.settimeout(10)
    assert client.recv(10) == b"b"


def test_a_cut_resets(proxied: tuple[Echo, Proxy, socket.socket]) -> None:
    """After a cut the client sees a reset."""
    _, proxy, client = proxied
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(10)


def test_half_closed_the_client_hears_the_end(proxied: tuple[Echo, Proxy, socket.socket]) -> None:
    """After a half-close the client hears the end of what is sent, and no reset."""
    _, proxy, client = proxied
    proxy.half_close()
    assert client.recv(10) == b""


def test_a_slow_one_delivers_all(proxied: tuple[Echo, Proxy, socket.socket]) -> None:
    """Throttled, every byte arrives."""
    echo, proxy, client = proxied
    proxy.pace = 20_000
    client.sendall(b"b" * 3000)
    until(lambda: len(echo.heard) == 3001)
