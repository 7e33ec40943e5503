"""Home Assistant: whether it can be reached, lets us in, tells everything, and remembers."""

import base64
import binascii
import email.utils
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from quotidian import clock
from quotidian.errors import AccessError, QuotidianError, RequestError, SettingError
from quotidian.homeassistant.address import Address, address_of
from quotidian.homeassistant.history import HOUR, oldest
from quotidian.homeassistant.session import Session
from quotidian.model.day import moment
from quotidian.operate.checks.check import Check
from quotidian.operate.checks.machine import in_container
from quotidian.settings import Settings

_APART: Final = 30  #: seconds by which two clocks may differ without harm
_SOON: Final = 30 * 86_400  #: seconds before a token's end when it is time for a new one
_BACKLOG: Final = 1_000  #: events that the recorder may have before it, until it is slow
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_ELSEWHERE: Final = "Only capture is told where it is: run `quotidian doctor` there to look at it, too."
_TOKEN: Final = "Make a new long-lived access token on your profile page, under Security, and set HA_TOKEN to it."  # noqa: S105


async def home_checks(settings: Settings) -> list[Check]:
    """Look at Home Assistant, until something stands in the way of looking further."""
    if is_capture_elsewhere(settings):
        return [Check("home assistant", "ok", _ELSEWHERE)]
    try:
        address = address_of(settings)
    except SettingError as error:
        return [Check.of("home assistant", error)]
    checks = [*token_checks(address.token, clock.now() // 1_000_000)]
    if any(check.state == "problem" for check in checks):
        return checks  # every refusal raises a notification there, and may ban this machine
    try:
        async with Session.open(address) as session:
            checks.append(
                Check("home assistant", "ok", f"Home Assistant {session.version} at {address.host} lets us in.")
            )
            checks += [check async for check in _looked_at(session)]
            checks += await _clock(address)
    except QuotidianError as error:
        checks.append(_closed(address, error))
    return checks


def is_capture_elsewhere(settings: Settings) -> bool:
    """Tell whether another container or machine has what opens Home Assistant: capture alone needs it."""
    opens = any(settings.text(name) for name in ("HA_URL", "HA_TOKEN"))
    return bool(settings.text("QUOTIDIAN_CAPTURE_URL")) and not opens


def _closed(address: Address, error: QuotidianError) -> Check:
    cause = error.__cause__
    silent = isinstance(cause, aiohttp.ClientConnectorError) and not isinstance(cause, aiohttp.ClientSSLError)
    if silent and in_container() and address.host in _HERE:
        remedy = f"In a container, {address.host} is the container itself: set HA_URL with Home Assistant's IP address."
        return Check("home assistant", "problem", error.what, remedy)
    return Check.of("home assistant", error)


async def _looked_at(session: Session) -> AsyncIterator[Check]:
    user = await session.command("auth/current_user")
    yield rights_check(user)
    yield await _recorder(session)


def rights_check(user: dict[str, Any]) -> Check:
    """Say what is lost where the token is not an administrator's."""
    if user.get("is_admin") or user.get("is_owner"):
        return Check("token", "ok", "The token is an administrator's.")
    return Check(
        "token",
        "warning",
        "The token is not an administrator's, so what automations and scripts do cannot be told from what people do.",
        "Make the token with an administrator's account; Quotidian only reads, unless you install an automation.",
    )


async def _recorder(session: Session) -> Check:
    try:
        info = await session.command("recorder/info")
    except (RequestError, AccessError):
        return Check(
            "recorder",
            "warning",
            "The recorder is off: what happens while Quotidian does not listen cannot be fetched later.",
            "Take `recorder:` (or `default_config:`) into Home Assistant's configuration.",
        )
    return recorder_check(info, await oldest(session))


def recorder_check(info: dict[str, Any], first: int | None) -> Check:
    """Judge the recorder by what it says of itself, and by the first instant (µs) that it knows."""
    if not info.get("recording"):
        remedy = "Look for the reason in Home Assistant's log; a full disk or a damaged database stops it."
        return Check("recorder", "warning", "The recorder does not record, so gaps cannot be filled.", remedy)
    if info.get("migration_in_progress"):
        return Check("recorder", "warning", "The recorder converts its database.", "Wait; gaps are filled afterwards.")
    if (info.get("backlog") or 0) > _BACKLOG:
        return Check(
            "recorder",
            "warning",
            f"The recorder is behind by {info['backlog']:,} events.",
            "Its disk is slow or busy: leave out entities that report all the time.",
        )
    if first is None:
        return Check("recorder", "ok", "The recorder is on; it remembers nothing yet.")
    # It is known to within an hour.
    since = f"{moment(first + HOUR):%Y-%m-%d, about %H}:00 UTC"
    return Check("recorder", "ok", f"The recorder is on; it reaches back to {since}.")


async def _clock(address: Address) -> list[Check]:
    """Compare our clock with the one in the header of any answer."""
    parts = urlsplit(address.url)
    url = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}/"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client,
            client.get(url, ssl=address.verify_tls, allow_redirects=False) as response,
        ):
            told = response.headers.get("Date")
    except (aiohttp.ClientError, OSError, TimeoutError):
        return []  # an old proxy between us; the session says what matters
    return [] if told is None else [clock_check(told, clock.now())]


def clock_check(told: str, now: int) -> Check:
    """Compare an HTTP date with an instant (µs).

    >>> clock_check("Sun, 22 Nov 2026 15:00:00 GMT", 1795359600_000_000).state
    'ok'
    """
    try:
        there = email.utils.parsedate_to_datetime(told).timestamp()
    except ValueError:
        return Check("clock", "warning", "Home Assistant does not tell its time.", "Check whether a proxy is between.")
    apart = now / 1e6 - there
    if abs(apart) <= _APART:
        return Check("clock", "ok", "The clocks of this machine and of Home Assistant agree.")
    return Check(
        "clock",
        "warning",
        f"This machine's clock is {abs(apart):,.0f} s {'ahead of' if apart > 0 else 'behind'} Home Assistant's.",
        "Switch time synchronisation (NTP) on, on both machines.",
    )


class _Claims(msgspec.Struct):
    exp: float | None = None


def token_checks(token: str, now: int) -> list[Check]:
    """Read from a token when it ends (s), as far as it tells."""
    try:
        body = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Claims)
    except (IndexError, ValueError, binascii.Error, msgspec.DecodeError):
        return []  # the supervisor's token is none of this kind
    if claims.exp is None or claims.exp - now > _SOON:
        return []
    date = f"{moment(int(claims.exp) * 1_000_000):%Y-%m-%d}"
    if claims.exp <= now:
        return [Check("token", "problem", f"The token expired on {date}.", _TOKEN)]
    return [Check("token", "warning", f"The token expires on {date}.", _TOKEN)]
