"""Ports that nobody listens on."""

import random
import socket


def free(count: int = 1) -> int:
    """Give the first of so many free ports in a row, below those that the system gives to whoever asks for any."""
    while True:
        first = random.randrange(20_000, 32_000)
        if all(_is_free(first + number) for number in range(count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
