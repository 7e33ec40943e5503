"""The services: which of them run, how they are, and whether the others could."""

from typing import Final

from quotidian import __version__
from quotidian.errors import SettingError, UnreachableError
from quotidian.operate.asking import health_of, secret_of
from quotidian.operate.checks.check import Check
from quotidian.operate.conditions import Service, refuse_taken_port
from quotidian.settings import Settings

_ALL: Final = "`quotidian up` starts all services."


def service_checks(settings: Settings) -> list[Check]:
    """Ask each service how it is; of those that do not answer, tell whether they could start here."""
    checks = [_check(settings, service) for service in Service]
    if any(check.remedy == _ALL for check in checks) and not all(check.remedy == _ALL for check in checks):
        # `quotidian up` cannot start beside the ones that run.
        return [_alone(check) if check.remedy == _ALL else check for check in checks]
    return checks


def _alone(check: Check) -> Check:
    return Check(check.name, check.state, check.sentence, f"`quotidian serve {check.name}` starts it.")


def _check(settings: Settings, service: Service) -> Check:
    url = settings.url(service)
    try:
        told = health_of(service, url, secret=secret_of(settings))
    except UnreachableError as error:
        return _stopped(settings, service, error)
    except SettingError as error:
        return Check.of(service, error)
    if told.get("version") != __version__:
        sentence = f"{service} at {url} is version {told.get('version')}, and this is {__version__}."
        return Check(service, "warning", sentence, "Update all services together.")
    # Admin only repeats how the others are.
    if told.get("state") == "ok" or service is Service.ADMIN:
        return Check(service, "ok", f"{service} runs at {url}.")
    poor = [one for one in told.get("dependencies", ()) if one["state"] != "ok"]
    troubles = " ".join(f"{one['name']}: {one['detail'] or one['state']}" for one in poor)
    sentence = f"{service} at {url} is {told.get('state')}. {troubles}".rstrip()
    return Check(service, "problem" if told.get("state") == "down" else "warning", sentence)


def _stopped(settings: Settings, service: Service, error: UnreachableError) -> Check:
    if settings.url(service) != f"http://127.0.0.1:{settings.port(service)}":
        return Check.of(service, error)
    try:
        refuse_taken_port(settings, service)
    except SettingError as taken:
        return Check.of(service, taken)
    return Check(
        service,
        "warning",
        f"{service} does not run; its port {settings.port(service)} is free.",
        _ALL,
    )
