"""Commands that propose automations, and try any on the home's own days."""

import re
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
import numpy as np
import typer
from rich.markup import escape

from quotidian.detect import words
from quotidian.detect.things import ACTUATORS
from quotidian.errors import NotFoundError, SettingError, SourceError
from quotidian.homeassistant.address import RUNNING
from quotidian.homeassistant.automations import Automations
from quotidian.homeassistant.configuration import NotAnalysed, configuration_of, understood
from quotidian.homeassistant.configuration.text import from_yaml, to_yaml
from quotidian.homeassistant.configuration.written import WEEKDAYS
from quotidian.learn.proposing import tape_of
from quotidian.model import Home
from quotidian.model.automation import OURS, Automation
from quotidian.model.day import SECOND, moment
from quotidian.model.home import domain_of
from quotidian.operate.addressing import asked, asked_address
from quotidian.operate.calendar import LEGEND, as_data, calendar
from quotidian.operate.console import as_json, say
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption
from quotidian.suggest.backtest import Moments, Score, backtest, scored
from quotidian.suggest.change import changed
from quotidian.suggest.propose import LEAST_DAYS, Proposal, Tier, propose, remind
from quotidian.suggest.reminders import Reminder
from quotidian.suggest.tape import Tape
from quotidian.suggest.words import sentence

_TIERS: Final = {Tier.OFFER: "can be installed", Tier.TRIAL: "worth a silent trial"}
_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3_600}
_Found = TypeVar("_Found", bound=Proposal | Reminder)
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Form(StrEnum):
    """How proposals are printed."""

    TEXT = "text"
    YAML = "yaml"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("suggest")(suggest_command)
    app.command("backtest")(backtest_command)
    app.command("whatif")(whatif_command)


def suggest_command(
    *,
    data: DataOption = None,
    form: Annotated[Form, typer.Option("--format", help="Sentences, Home Assistant's YAML, or data.")] = Form.TEXT,
    json: JsonOption = False,
) -> None:
    """Propose automations, each tried on days of this home that it was not learned from.

    Nothing is installed or switched; `quotidian install` does that. A proposal is learned from the first two thirds of
    the last 90 days and tried on the last third: on each of these days it would have done what somebody then did by
    hand (●), would have been a nuisance (×), or nothing (·).

    Examples:

      quotidian suggest

      quotidian suggest --format yaml > proposals.yaml

      quotidian suggest --json
    """
    tape = taped(data)
    proposals, reminders = propose(tape), remind(tape)
    if json or form is Form.JSON:
        told = {"automations": [_proposed(one, tape) for one in proposals]}
        as_json({**told, "reminders": [_reminding(one, tape) for one in reminders]})
    elif form is Form.YAML:
        found: list[Proposal | Reminder] = [*proposals, *reminders]
        sys.stdout.write(to_yaml(configuration_of(described(one)) for one in found))
    else:
        _tell(proposals, tape)
        _tell_reminders(reminders)


def backtest_command(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A file of automations as Home Assistant writes them, or a running Home Assistant (http://…); "
            "without one it is that of HA_URL.",
            metavar="FILE.yaml",
        ),
    ] = None,
    *,
    data: DataOption = None,
    within: Annotated[str, typer.Option("--within", help="How soon somebody must have done the same.")] = "15m",
    json: JsonOption = False,
) -> None:
    """Tell what automations would have done on this home's days: those installed, or any that you write.

    Examples:

      quotidian backtest

      quotidian backtest /config/automations.yaml

      quotidian backtest idea.yaml --within 5m --json
    """
    window, tape = _seconds(within), taped(data)
    if window <= 0:
        raise SettingError(f"--within {within} leaves no time.", "Write it as 90s, 15m or 1h.")
    if not tape.size:
        raise NotFoundError("No day was learned yet to try automations on.", "`quotidian learn` comes first.")
    found = _read(source, tape.home)
    if json:
        as_json([_tested(one, tape, window) for one in found])
        return
    for one in found:
        _tell_tested(one, tape, window)
    say(f"\n{LEGEND}" if found else "Home Assistant has no automations.")


def whatif_command(
    proposal: Annotated[str, typer.Argument(help="A proposal, or the beginning of its id.", metavar="ID")],
    *,
    data: DataOption = None,
    offset: Annotated[str, typer.Option("--offset", help="Start it earlier or later, as -10m or 5m.")] = "0s",
    weekdays: Annotated[bool, typer.Option("--weekdays", help="Only from Monday to Friday.")] = False,
    on: Annotated[str | None, typer.Option("--on", help="Only on some days, as sat,sun.")] = None,
    between: Annotated[str | None, typer.Option("--between", help="Only at some hours, as 20:00-23:30.")] = None,
    json: JsonOption = False,
) -> None:
    """Tell what a proposal would have done had it been a little different.

    Examples:

      quotidian whatif quotidian_87c9656522 --offset 5m

      quotidian whatif 87c9 --weekdays --between 19:00-23:00
    """
    tape = taped(data)
    before = named_one(propose(tape), proposal)
    days = range(5) if weekdays else None if on is None else [_weekday(name) for name in on.split(",")]
    try:
        after = changed(before.automation, tape.home, offset=_seconds(offset), weekdays=days, between=_hours(between))
    except ValueError as error:
        remedy = "Only times of the clock and of the sun can be earlier."
        raise SettingError(f"--offset {offset}: {error}.", remedy) from error
    tried = np.isin(tape.ordinals, before.days)
    moments = backtest(after, tape, before.window).among(tried)
    score = scored(moments, tried)
    if json:
        now = {"sentence": after.alias, **as_data(before.days, moments, score, tape)}
        as_json({"before": _proposed(before, tape), "after": {**now, "automation": msgspec.to_builtins(after)}})
        return
    _tell_one(before.automation.alias, before.score, calendar(before.days, before.dates, before.moments))
    _tell_one(after.alias, score, calendar(before.days, tape.ordinals[moments.day].tolist(), moments))
    say(f"\n{LEGEND}")


def taped(data: Path | None) -> Tape:
    """Give the days on which automations are tried."""
    with opened(data) as store:
        return tape_of(store)


def described(found: Proposal | Reminder) -> Automation:
    """Give an automation with the reason for it, which Home Assistant shows with it."""
    if isinstance(found, Proposal):
        score = found.score
        days, moments = f"in {len(found.days)} days", score.useful + score.nuisance
        why = f"{days} you did it yourself within {words.span(found.window)} at {score.useful} of {moments} moments"
    else:
        why = f"the longest of {found.spans} was {words.span(found.longest)}"
    return msgspec.structs.replace(found.automation, description=f"Proposed by Quotidian: {why}.")


def named_one(found: Sequence[_Found], name: str) -> _Found:
    """Give what was found with an id, or with one that begins so."""
    remedy = "`quotidian suggest` lists them with their ids."
    wanted = id_of((one.automation.id for one in found), name, "proposal", remedy)
    return next(one for one in found if one.automation.id == wanted)


def id_of(known: Iterable[str], name: str, what: str, remedy: str) -> str:
    """Give the id of ours that a name is, or is the beginning of."""
    begins = OURS + name.removeprefix(OURS)
    found = [one for one in known if one.startswith(begins)]
    if begins in found:
        return begins
    if len(found) != 1 or begins == OURS:
        told = f"is no {what}" if not found else f"is the beginning of more than one {what}"
        raise NotFoundError(f"{name!r} {told}.", remedy)
    return found[0]


def _read(source: str | None, home: Home) -> list[Automation | NotAnalysed]:
    """Read automations from a file, or from a running Home Assistant."""
    if source is None or source.startswith(RUNNING):
        return [one.understood(home) for one in asked(asked_address(source), Automations.installed)]
    file = Path(source)
    try:
        return [understood(one, home) for one in from_yaml(file.read_text("utf-8"))]
    except UnicodeDecodeError as error:
        raise SourceError(f"{file} is no text: {error.reason}.") from error


# telling


def _tell(proposals: Sequence[Proposal], tape: Tape) -> None:
    if not proposals:
        say(_why_none(tape))
        return
    days = len(proposals[0].days)
    say(f"[bold]Automations[/], each tried on {days} days that it was not learned from\n")
    for number, one in enumerate(proposals, 1):
        tell_proposal(one, f"{number:2}. ")
    say(f"\n{LEGEND}")


def tell_proposal(one: Proposal, mark: str = "") -> None:
    """Print a proposal and its days."""
    score = one.score
    moments = score.useful + score.nuisance
    say(f"{mark}[bold]{escape(words.plain_sentence(one.automation.alias))}.[/]")
    within = words.span(one.window)
    say(f"    You did it yourself within {within} at {score.useful} of {moments} moments; {_TIERS[one.tier]}.")
    days_drawn = calendar(one.days, one.dates, one.moments)
    say(f"    {days_drawn}  [dim]{score.saved_a_week:.1f} acts a week · {one.automation.id}[/]")


def _tell_reminders(reminders: Sequence[Reminder]) -> None:
    if reminders:
        say("\n[bold]Reminders[/], of what is not switched by itself. They are only installed where you ask for one.\n")
    for one in reminders:
        tell_reminder(one, "  • ")


def tell_reminder(one: Reminder, mark: str = "") -> None:
    """Print a reminder, and how often it would have come."""
    count = len(one.instants)
    times = f"{count} time{'s' * (count != 1)}"
    say(f"{mark}[bold]{escape(words.plain_sentence(one.automation.alias))}.[/]")
    told = f"The longest of {one.spans} was {words.span(one.longest)}. In {len(one.days)} days you would have been told"
    say(f"    {told} {times}.  [dim]{one.automation.id}[/]")


def _tell_tested(found: Automation | NotAnalysed, tape: Tape, window: int) -> None:
    if isinstance(found, NotAnalysed):
        name = escape(words.plain(found.alias or found.id or "An automation"))
        say(f"[bold]{name}[/]: {why_not(found)}.")
    elif not found.sets:
        say(f"[bold]{escape(words.plain_sentence(sentence(found, tape.home)))}[/]: it switches nothing.")
    else:
        moments, score = _score(found, tape, window)
        days = tape.ordinals.tolist()
        _tell_one(sentence(found, tape.home), score, calendar(days, tape.ordinals[moments.day].tolist(), moments))


def why_not(found: NotAnalysed) -> str:
    """Say where and why an automation could not be understood, with markup."""
    place = f" {escape(words.plain(found.place))}" if found.place else ""
    return f"[yellow]not analysed[/],{place}: {escape(words.plain_sentence(found.reason))}"


def _tell_one(told: str, score: Score, drawn: str) -> None:
    """Print an automation, its moments, and its days."""
    say(f"[bold]{escape(words.plain_sentence(told))}.[/]")
    parts = [f"of use at {score.useful} moments", f"a nuisance at {score.nuisance}"]
    parts += [f"ran and was left at {score.kept}"] if score.kept else []
    say(f"    {', '.join(parts)}, without effect at {score.no_effect}.")
    say(f"    {drawn}  [dim]{score.saved_a_week:.1f} acts a week[/]")


def _why_none(tape: Tape) -> str:
    if tape.size and not any(domain_of(name) in ACTUATORS for name in tape.entities):
        return "Nothing to propose: nothing here can be switched, there are only sensors."
    if tape.size < LEAST_DAYS:
        days = "1 day is" if tape.size == 1 else f"{tape.size} days are"
        return f"Nothing to propose yet: {days} too few. From {LEAST_DAYS} on there are some to try on."
    return f"Nothing to propose: in {tape.size} days nothing that people do follows surely enough from something else."


# data


def _proposed(proposal: Proposal, tape: Tape) -> dict[str, Any]:
    """Give a proposal as plain data, with each moment."""
    return {
        "id": proposal.automation.id,
        "sentence": proposal.automation.alias,
        "tier": proposal.tier,
        "window_seconds": proposal.window,
        "q_value": proposal.q_value,
        **as_data(proposal.days, proposal.moments, proposal.score, tape),
        "automation": msgspec.to_builtins(proposal.automation),
        "configuration": configuration_of(described(proposal)),
    }


def _reminding(reminder: Reminder, tape: Tape) -> dict[str, Any]:
    """Give a reminder as plain data."""
    return {
        "id": reminder.automation.id,
        "sentence": reminder.automation.alias,
        "spans": reminder.spans,
        "longest_seconds": reminder.longest,
        "days": len(reminder.days),
        "moments": [moment(instant * SECOND, tape.home.zone) for instant in reminder.instants],
        "automation": msgspec.to_builtins(reminder.automation),
        "configuration": configuration_of(described(reminder)),
    }


def _tested(found: Automation | NotAnalysed, tape: Tape, window: int) -> dict[str, Any]:
    """Give what would have come of an automation as plain data."""
    if isinstance(found, NotAnalysed):
        told: dict[str, Any] = msgspec.to_builtins(found)
        return {"analysed": False, **told}
    data = {"analysed": True, "id": found.id, "alias": found.alias, "sentence": sentence(found, tape.home)}
    if not found.sets:
        return data
    moments, score = _score(found, tape, window)
    return {**data, **as_data(tape.ordinals.tolist(), moments, score, tape)}


def _score(automation: Automation, tape: Tape, window: int) -> tuple[Moments, Score]:
    """Replay an automation of somebody's own, which does not keep quiet after a nuisance, on all days."""
    moments = backtest(automation, tape, window, quiet=False)
    return moments, scored(moments, np.ones(tape.size, bool))


# asking


def _seconds(text: str) -> int:
    """Read a length of time, as 90s, -10m or 1h."""
    found = re.fullmatch(r"([+-]?\d{1,5})\s*(s|m|min|h)", text.strip())
    if found is None:
        raise SettingError(f"{text!r} is no length of time.", "Write it as 90s, -10m or 1h.")
    return int(found[1]) * _UNITS[found[2]]


def _weekday(name: str) -> int:
    short = name.strip().lower()[:3]
    if short not in WEEKDAYS:
        raise SettingError(f"{name.strip()!r} is no day of the week.", f"There are {', '.join(WEEKDAYS)}.")
    return WEEKDAYS.index(short)


def _hours(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    times = [_CLOCK.fullmatch(part.strip()) for part in text.split("-")]
    if len(times) != 2 or None in times:
        raise SettingError(f"{text!r} is no span of hours.", "Write it as 20:00-23:30.")
    after, before = (int(time[1]) * 3_600 + int(time[2]) * 60 for time in times if time is not None)
    if after == before:
        raise SettingError(
            f"{text!r} is no span of hours: it ends where it begins.", "Leave --between out for all day."
        )
    return after, before
