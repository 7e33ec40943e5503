"""Who may do what: the services' shared secret, and the tokens of people and programs.

A token is random; only its SHA-256 is kept (it has 256 bits, so a slow hash would add nothing), in a file that every
service of the home reads again when it changes.
"""

import hashlib
import hmac
import ipaddress
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request

from quotidian import clock
from quotidian.errors import AccessError, SettingError
from quotidian.service import logs
from quotidian.settings import Settings

FILE: Final = "tokens.json"
SECRET_FILE: Final = "secret"  # noqa: S105 - a file's name
_PREFIX: Final = "qt_"


class Token(msgspec.Struct, frozen=True):
    """A token that was given out: its name, its hash, and when it was made (µs)."""

    name: str
    digest: str
    created: int


class Access:
    """Lets requests in, or refuses them.

    Parameters
    ----------
    settings
        They name the directory in which the secret and the tokens live, and whether reading is open.

    The tokens are in the file that ``QUOTIDIAN_TOKENS`` names, by default in the data directory: containers that have
    directories of their own can share it. The services' secret is that of ``QUOTIDIAN_SECRET`` where it is set, else
    one that is made on first use and kept in the data directory.
    """

    def __init__(self, settings: Settings) -> None:
        self._directory = Path(settings.text("QUOTIDIAN_DATA")).expanduser()
        self._file = Path(settings.text("QUOTIDIAN_TOKENS") or self._directory / FILE).expanduser()
        self._given = settings.text("QUOTIDIAN_SECRET")
        self._host = settings.text("QUOTIDIAN_HOST")
        self._open = settings.flag("QUOTIDIAN_OPEN_READING")
        self._tokens: tuple[tuple[int, int], tuple[Token, ...]] = ((0, 0), ())

    @property
    def secret(self) -> str:
        """The services' shared secret; made when there is none yet."""
        if not self._given:
            self._given = _kept_secret(self._directory / SECRET_FILE)
            logs.hide(self._given)
        return self._given

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens that were given out and not revoked.

        Raises
        ------
        SettingError
            When their file is damaged.
        """
        path = self._file
        try:
            # Each change is a new file, so that two within one tick of the clock are told apart.
            found = path.stat()
            changed = (found.st_mtime_ns, found.st_ino)
            if changed != self._tokens[0]:
                self._tokens = (changed, msgspec.json.decode(path.read_bytes(), type=tuple[Token, ...]))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise SettingError(
                f"The file of tokens {path} cannot be read ({error.strerror}).",
                "Run this as the user who runs the services.",
            ) from error
        except (msgspec.DecodeError, UnicodeError) as error:
            raise SettingError(f"The file of tokens {path} is damaged.", "Remove it, then make new ones.") from error
        return self._tokens[1]

    def give(self, name: str) -> str:
        """Make a token and keep its hash; the token itself is nowhere but in the answer.

        Raises
        ------
        SettingError
            When the file of tokens is damaged, or cannot be written here.
        """
        token = _PREFIX + secrets.token_urlsafe(32)
        logs.hide(token)
        self._keep((*self.tokens, Token(name, _digest(token), clock.now())))
        return token

    def revoke(self, name: str) -> bool:
        """Take the tokens of a name back; tell whether there were any.

        Raises
        ------
        SettingError
            When the file of tokens is damaged, or cannot be written here.
        """
        left = tuple(token for token in self.tokens if token.name != name)
        revoked = len(left) < len(self.tokens)
        if revoked:
            self._keep(left)
        return revoked

    def _keep(self, tokens: tuple[Token, ...]) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            fresh.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.touch(mode=0o600)
            fresh.write_bytes(msgspec.json.encode(tokens))
            fresh.replace(self._file)
        except OSError as error:
            raise SettingError(
                f"The file of tokens {self._file} cannot be written here ({error.strerror}).",
                "Run this as the user who runs the services; with several containers, in admin.",
            ) from error

    async def reading(self, request: Request) -> None:
        """Let a reading request in: with a token, or where reading is open.

        Raises
        ------
        AccessError
            When it is not to be let in.
        """
        if not (self._open or _is_loopback(self._host)):
            self.check(request)

    async def lets_read(self, request: Request) -> bool:
        """Tell whether a request may read."""
        try:
            await self.reading(request)
        except AccessError:
            return False
        return True

    async def changing(self, request: Request) -> None:
        """Let a changing request in: always and only with a token or the services' secret.

        Raises
        ------
        AccessError
            When it is not to be let in.
        """
        self.check(request)

    async def trusting(self, request: Request) -> None:
        """Let in only who has the services' secret.

        Raises
        ------
        AccessError
            When it is not to be let in.
        """
        if not self._is_secret(_told(request)):
            raise AccessError("This is for the services themselves.", "Send the services' secret.")

    def _is_secret(self, token: str) -> bool:
        return hmac.compare_digest(_digest(token), _digest(self.secret))

    def check(self, request: Request) -> None:
        """Compare the bearer token of a request with those that are known."""
        token = _told(request)
        if self._is_secret(token):
            return
        digest = _digest(token)
        # All are compared, so that the time taken tells nothing.
        if not sum(hmac.compare_digest(digest, one.digest) for one in self.tokens):
            raise AccessError("The token is not known here.", "`quotidian token new` makes one.")


def _told(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AccessError(
            f"{request.method} {request.url.path} needs a token.",
            "Send the header 'Authorization: Bearer TOKEN'; `quotidian token new` makes one.",
        )
    return token.strip()


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return path.read_text().strip()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
