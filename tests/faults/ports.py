"""Ports that nobody listens on."""

import socket


def free(count: int = 1) -> int:
    """Give the first of so many free ports in a row."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            first = int(listener.getsockname()[1])
        if first + count < 65_000 and all(_is_free(first + number) for number in range(1, count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
