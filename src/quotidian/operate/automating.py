"""Commands that bring proposals into a running Home Assistant, and take them out again."""

import sys
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.markup import escape

from quotidian.detect import words
from quotidian.errors import AccessError, QuotidianError, RequestError, SettingError
from quotidian.homeassistant.automations import Automations, Installed, Trace
from quotidian.homeassistant.configuration import Configuration, NotAnalysed
from quotidian.homeassistant.configuration.text import to_yaml
from quotidian.homeassistant.configuration.written import NOTIFY
from quotidian.homeassistant.rest import no_administrator
from quotidian.importers.zones import known_zone
from quotidian.model import Home
from quotidian.model.automation import Automation
from quotidian.operate.addressing import UrlOption, asked, asked_address
from quotidian.operate.console import as_json, say
from quotidian.operate.options import DataOption, JsonOption
from quotidian.operate.suggesting import described, id_of, named_one, taped, tell_proposal, tell_reminder, why_not
from quotidian.suggest.propose import Proposal, propose, remind
from quotidian.suggest.reminders import Reminder
from quotidian.suggest.words import sentence

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("install")(install_command)
    app.command("uninstall")(uninstall_command)
    app.command("automations")(automations_command)


class _Outlook(msgspec.Struct, frozen=True):
    """What Home Assistant says before anything is changed: how it is written, what is in the way, if it is there."""

    configuration: Configuration
    hindrances: list[str]
    administrator: bool
    there: bool

    @property
    def refusal(self) -> QuotidianError | None:
        """Why it cannot be installed."""
        if self.hindrances:
            return RequestError(f"It cannot be installed: {' '.join(self.hindrances)}")
        return None if self.administrator else no_administrator()


def install_command(
    proposal: Annotated[str, typer.Argument(help="A proposal, or the beginning of its id.", metavar="ID")],
    *,
    data: DataOption = None,
    url: UrlOption = None,
    notify: Annotated[
        str, typer.Option("--notify", help="What tells a reminder, as notify.mobile_app_phone.", metavar="SERVICE")
    ] = NOTIFY,
    trial: Annotated[bool, typer.Option("--try", help="Start it once, whatever the time, and show its trace.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Install a proposal in Home Assistant, once you have seen what it does and how it is written.

    All entities and services must be there. Afterwards it must be listed, and do what was written. Automations of
    others stay as they are, and `quotidian uninstall` takes it out again.

    Examples:

      quotidian install 87c9 --dry-run

      quotidian install quotidian_87c9656522 --try
    """
    _ask_or_not(yes=yes or dry_run, json=json)
    found = _proposed(proposal, data)
    address, automation = asked_address(url), described(found)
    outlook = asked(address, lambda automations: _outlook(automations, automation, notify))
    if not json:
        _tell_outlook(found, outlook)
    if outlook.refusal or dry_run:
        if json:
            as_json(_as_data(automation, outlook))
        if outlook.refusal:
            raise outlook.refusal
        return
    if not yes:
        typer.confirm(f"\nInstall it in Home Assistant at {address.place}?", abort=True)
    # The connection is a new one, for whoever was asked may have thought for long.
    done = asked(address, lambda automations: automations.install(automation, notify))
    if not json:
        _tell_installed(done)
    trace = asked(address, lambda automations: automations.trigger(done.id)) if trial else None
    if json:
        as_json(_as_data(automation, outlook, done, trace))
    elif trace is not None:
        _tell_trace(trace)
    if trace is not None and not _went_well(trace):
        raise RequestError("The trial did not go through.", f"`quotidian uninstall {done.id}` takes it out again.")


def uninstall_command(
    automation: Annotated[str, typer.Argument(help="An automation of ours, or its id's beginning.", metavar="ID")],
    *,
    url: UrlOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Take one of ours out of Home Assistant; all others stay as they are.

    Examples:

      quotidian uninstall 87c9 --dry-run

      quotidian uninstall quotidian_87c9656522 --yes
    """
    _ask_or_not(yes=yes or dry_run, json=json)
    address = asked_address(url)
    found = asked(address, lambda automations: _ours(automations, automation))
    if not json:
        say(f"[bold]{_name(found)}[/]  [dim]{found.id}[/]")
    if not yes and not dry_run:
        typer.confirm(f"Take it out of Home Assistant at {address.place}?", abort=True)
    if not dry_run:
        asked(address, lambda automations: automations.remove(found.id))
    if json:
        as_json({"id": found.id, "alias": found.alias, "removed": not dry_run})
        return
    say("It would be taken out; nothing was changed." if dry_run else "It is taken out. All others are as they were.")


def automations_command(*, url: UrlOption = None, json: JsonOption = False) -> None:
    """List the automations of Home Assistant, ours and others', and what can be understood of each.

    Examples:

      quotidian automations

      quotidian automations --url http://192.168.1.10:8123 --json
    """
    address = asked_address(url)
    home, found = asked(address, _seen)
    found.sort(key=lambda one: (not one.ours, one.entity_id))
    if json:
        as_json([_listed(one, home) for one in found])
        return
    if not found:
        say("Home Assistant has no automations.")
    for one in found:
        _tell_listed(one, home)


# asking


def _ask_or_not(*, yes: bool, json: bool) -> None:
    """Refuse to mix a question into data."""
    if json and not yes:
        raise SettingError("With --json nobody is asked.", "Add --yes, or --dry-run to change nothing.")


def _proposed(name: str, data: Path | None) -> Proposal | Reminder:
    tape = taped(data)
    found: list[Proposal | Reminder] = [*propose(tape), *remind(tape)]
    return named_one(found, name)


async def _outlook(automations: Automations, automation: Automation, notify: str) -> _Outlook:
    return _Outlook(
        configuration=automations.written(automation, notify),
        hindrances=await automations.hindrances(automation, notify),
        administrator=await automations.administrator(),
        there=await automations.find(automation.id) is not None,
    )


async def _ours(automations: Automations, name: str) -> Installed:
    ours = {one.id: one for one in await automations.installed() if one.ours}
    found = ours[id_of(ours, name, "automation of ours", "`quotidian automations` lists them.")]
    if not await automations.administrator():
        raise AccessError(
            "Home Assistant lets only administrators remove automations, and this token is not one's.",
            "Set HA_TOKEN to an administrator's token, or have one delete it in Home Assistant.",
        )
    return found


async def _seen(automations: Automations) -> tuple[Home, list[Installed]]:
    home = await automations.home()
    if not known_zone(home.zone):
        home = msgspec.structs.replace(home, zone="UTC")
    return home, await automations.installed()


# telling


def _tell_outlook(found: Proposal | Reminder, outlook: _Outlook) -> None:
    if isinstance(found, Proposal):
        tell_proposal(found)
    else:
        tell_reminder(found)
    say("\nAs Home Assistant writes it, in automations.yaml:\n")
    sys.stdout.write(to_yaml([outlook.configuration]))
    if outlook.there:
        say("\nIt is installed already; what is there is replaced by this.")
    elif not outlook.hindrances:
        say("\nAll entities and services that it needs are there.")


def _tell_installed(done: Installed) -> None:
    state = "it runs from now on" if done.enabled else "it is switched off, as the one in whose place it is"
    say(f"Installed as {done.entity_id}: {state}. [bold]quotidian uninstall {done.id}[/] takes it out again.")


def _tell_trace(trace: Trace) -> None:
    if _went_well(trace):
        outcome = "It ran to its end"
    else:
        reason = words.plain_sentence(trace.error).rstrip(".") or trace.execution
        outcome = f"It did not run to its end: {escape(reason)}"
    say(f"Started once. {outcome}. Passed: {escape(', '.join(trace.steps))}.")


def _went_well(trace: Trace) -> bool:
    return trace.finished and not trace.error


def _tell_listed(one: Installed, home: Home) -> None:
    whose = "ours" if one.ours else "not ours"
    state = {"on": "on", "off": "switched off"}.get(one.state, "not loaded")
    at = one.last_triggered
    ran = f"last ran {at.astimezone(ZoneInfo(home.zone)):%Y-%m-%d %H:%M}" if at else "has not run yet"
    say(f"[bold]{_name(one)}[/]  [dim]{whose} · {state} · {ran} · {escape(words.plain(one.id or one.entity_id))}[/]")
    understood = one.understood(home)
    if isinstance(understood, NotAnalysed):
        say(f"    {why_not(understood)}.")
    else:
        say(f"    {escape(words.plain_sentence(sentence(understood, home)))}.")


def _name(one: Installed) -> str:
    return escape(words.plain_sentence(one.alias or one.entity_id))


# data


def _as_data(
    automation: Automation, outlook: _Outlook, done: Installed | None = None, trace: Trace | None = None
) -> dict[str, Any]:
    return {
        "id": automation.id,
        "sentence": automation.alias,
        **msgspec.to_builtins(outlook),
        "installed": done is not None,
        "entity_id": None if done is None else done.entity_id,
        "enabled": None if done is None else done.enabled,
        "trace": trace,
    }


def _listed(one: Installed, home: Home) -> dict[str, Any]:
    understood = one.understood(home)
    analysed = isinstance(understood, Automation)
    told = (
        {"sentence": sentence(understood, home)}
        if isinstance(understood, Automation)
        else {"place": understood.place, "reason": understood.reason}
    )
    return {
        "id": one.id,
        "entity_id": one.entity_id,
        "alias": one.alias,
        "ours": one.ours,
        "enabled": one.enabled,
        "state": one.state,
        "last_triggered": one.last_triggered,
        "analysed": analysed,
        **told,
    }
