"""A real Home Assistant, started in a directory of its own, with an owner who is logged in already."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .ports import free

HASS = Path(os.environ.get("QUOTIDIAN_HASS") or "~/.cache/quotidian/homeassistant/bin/hass").expanduser()
MISSING = f"no real Home Assistant at {HASS}: run `make test-components`, or set QUOTIDIAN_HASS"

_CONFIGURATION = """
homeassistant:
  name: Test home
  time_zone: Europe/Amsterdam
  country: NL
  latitude: 52.4
  longitude: 4.9
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
websocket_api:
config:
recorder:
  commit_interval: {commit_interval}
history:
"""


class RealHomeAssistant:
    """Runs Home Assistant while the context lasts.

    ``user`` and ``token`` are the owner's, ``guest`` and ``guest_token`` those of a user who is no administrator.

    Parameters
    ----------
    folder
        Its configuration directory.
    configuration
        YAML that is added to a minimal configuration.
    commit_interval
        Seconds after which the recorder writes what it heard.
    """

    def __init__(self, folder: Path, configuration: str = "", commit_interval: int = 1) -> None:
        self.folder = folder
        self._port = free()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        minimal = _CONFIGURATION.format(port=self._port, commit_interval=commit_interval)
        (folder / "configuration.yaml").write_text(minimal + configuration)
        self.keep("onboarding", {"done": ["user", "core_config", "analytics", "integration"]}, version=4)
        owner, guest = _User("Owner", "system-admin"), _User("Guest", "system-users")
        self.user, self.token, self.guest, self.guest_token = owner.id, owner.token, guest.id, guest.token
        self.keep("auth", _users(owner, guest))

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def database(self) -> Path:
        """The recorder's database."""
        return self.folder / "home-assistant_v2.db"

    def keep(self, name: str, data: dict[str, Any], version: int = 1) -> None:
        """Write a file of ``.storage``; before the start only."""
        (self.folder / ".storage").mkdir(exist_ok=True)
        record = {"version": version, "minor_version": 1, "key": name, "data": data}
        (self.folder / ".storage" / name).write_text(json.dumps(record))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it is up; directory, port and tokens stay the same."""
        with (self.folder / "output.log").open("ab") as log:
            command = [str(HASS), "-c", str(self.folder), "--skip-pip"]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            until(self._running, 120)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Let it end in order, if it runs."""
        self._signal(signal.SIGTERM, signal.SIGCONT)
        if self._process is not None:
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def restart(self) -> None:
        """Stop and start it."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End it in the midst of everything."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """Let it stand still: its sockets stay open, and nothing comes."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def call(self, service: str, **data: Any) -> None:
        """Call a service ("light.turn_on") as the owner: a person."""
        self._ask(f"/api/services/{service.replace('.', '/')}", data)

    def fire(self, event: str, **data: Any) -> None:
        """Fire an event."""
        self._ask(f"/api/events/{event}", data)

    def press(self, webhook: str) -> None:
        """Call a webhook: something happens that no user did."""
        self._ask(f"/api/webhook/{webhook}", {}, trusted=False)

    def put(self, entity_id: str, state: str, **attributes: Any) -> None:
        """Write a state, of an entity that need not exist."""
        self._ask(f"/api/states/{entity_id}", {"state": state, "attributes": attributes})

    def remove(self, entity_id: str) -> None:
        """Remove a state."""
        self._ask(f"/api/states/{entity_id}", method="DELETE")

    def state(self, entity_id: str) -> str:
        """Give an entity's state."""
        return str(self._ask(f"/api/states/{entity_id}")["state"])

    def ask(self, path: str, data: dict[str, Any]) -> Any:
        """Ask for something else as the owner."""
        return self._ask(path, data)

    def _signal(self, *signals: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            for one in signals:
                self._process.send_signal(one)

    def _running(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "output.log").read_text()[-3000:])
        try:
            return bool(self._ask("/api/config")["state"] == "RUNNING")
        except (OSError, ValueError):
            return False

    def _ask(
        self, path: str, data: dict[str, Any] | None = None, *, trusted: bool = True, method: str | None = None
    ) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            None if data is None else json.dumps(data).encode(),
            {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if trusted else {}),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds; fail when it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{holds} does not hold after {seconds} s")
        time.sleep(0.1)


class _User:
    """A user of a group, with a token."""

    def __init__(self, name: str, group: str) -> None:
        self.id, session, key = uuid.uuid4().hex, uuid.uuid4().hex, secrets.token_hex(32)
        self.token = _token(session, key)
        owner = group == "system-admin"
        told = {"id": self.id, "name": name, "is_owner": owner, "is_active": True, "system_generated": False}
        self.record = {**told, "group_ids": [group], "local_only": False}
        self.login = {
            "id": session,
            "user_id": self.id,
            "client_name": "tests",
            "token_type": "long_lived_access_token",
            "created_at": "2025-01-01T00:00:00+00:00",
            "access_token_expiration": 3e8,
            "token": secrets.token_hex(64),
            "jwt_key": key,
        } | dict.fromkeys(
            ("client_id", "client_icon", "credential_id", "expire_at", "last_used_at", "last_used_ip", "version")
        )


def _users(*users: _User) -> dict[str, Any]:
    return {
        "users": [user.record for user in users],
        "groups": [{"id": "system-admin", "name": "Administrators"}, {"id": "system-users", "name": "Users"}],
        "credentials": [],
        "refresh_tokens": [user.login for user in users],
    }


def _token(session: str, key: str) -> str:
    """Sign a token for the session: a JSON Web Token (RFC 7519) with HMAC SHA-256."""
    now = int(time.time())
    parts = ({"alg": "HS256", "typ": "JWT"}, {"iss": session, "iat": now, "exp": now + 86_400})
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return (signed + b"." + _encoded(hmac.digest(key.encode(), signed, hashlib.sha256))).decode()


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
