"""The command that proposes automations."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import typer
from rich.markup import escape

from quotidian.detect import words
from quotidian.learn.proposing import tape_of
from quotidian.model.day import SECOND, moment
from quotidian.operate.console import as_json, say
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption
from quotidian.suggest.backtest import Outcome
from quotidian.suggest.propose import LEAST_DAYS, Proposal, Tier, propose, remind
from quotidian.suggest.reminders import Reminder
from quotidian.suggest.tape import Tape

#: What a day of the calendar shows.
_GOOD, _BAD, _NOTHING, _MISSING = "[green]●[/]", "[red]×[/]", "[dim]·[/]", " "
_TIERS: Final = {Tier.OFFER: "can be installed", Tier.TRIAL: "worth a silent trial"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("suggest")(suggest_command)


def suggest_command(*, data: DataOption = None, json: JsonOption = False) -> None:
    """Propose automations, each tried on days of this home that it was not learned from.

    Nothing is installed or switched. A proposal is learned from the first two thirds of the last 90 days and tried on
    the last third: on each of these days it would have done what somebody then did by hand (●), would have been a
    nuisance (×), or nothing (·).

    Examples:

      quotidian suggest

      quotidian suggest --json
    """
    with opened(data) as store:
        tape = tape_of(store)
    proposals, reminders = propose(tape), remind(tape)
    if json:
        automations = [_as_data(one, tape) for one in proposals]
        as_json({"automations": automations, "reminders": [_reminding(one, tape) for one in reminders]})
        return
    if proposals:
        _tell(proposals)
    else:
        say(_why_none(tape))
    if reminders:
        _tell_reminders(reminders)


def _tell(proposals: Sequence[Proposal]) -> None:
    days = len(proposals[0].days)
    say(f"[bold]Automations[/], each tried on {days} days that it was not learned from\n")
    for number, one in enumerate(proposals, 1):
        score = one.score
        moments = score.useful + score.nuisance
        say(f"{number:2}. [bold]{escape(words.plain_sentence(one.automation.alias))}.[/]")
        within = words.span(one.window)
        say(f"    You did it yourself within {within} at {score.useful} of {moments} moments; {_TIERS[one.tier]}.")
        say(f"    {_calendar(one)}  [dim]{score.saved_a_week:.1f} acts a week · {one.automation.id}[/]")
    say("\n[dim]● of use   × a nuisance   · nothing to do[/]")


def _tell_reminders(reminders: Sequence[Reminder]) -> None:
    say("\n[bold]Reminders[/], of what is not switched by itself\n")
    for one in reminders:
        count = len(one.instants)
        times = f"{count} time{'s' * (count != 1)}"
        say(f"  • [bold]{escape(words.plain_sentence(one.automation.alias))}[/]")
        longest = words.span(one.longest)
        say(f"    The longest of {one.spans} was {longest}. In {len(one.days)} days you would have been told {times}.")


def _calendar(proposal: Proposal) -> str:
    """Draw the days on which a proposal was tried, a group for each week from Monday on."""
    outcomes = _outcomes(proposal)
    weeks: list[str] = []
    for ordinal in range(proposal.days[0], proposal.days[-1] + 1):
        if not weeks or dt.date.fromordinal(ordinal).weekday() == 0:
            weeks.append("")
        weeks[-1] += _sign(outcomes.get(ordinal)) if ordinal in proposal.days else _MISSING
    return " ".join(weeks)


def _outcomes(proposal: Proposal) -> dict[int, Outcome]:
    """Give the worst outcome with an effect of each day, by ordinal."""
    worst: dict[int, Outcome] = {}
    for ordinal, outcome in zip(proposal.dates, proposal.moments.outcome.tolist(), strict=True):
        worst[ordinal] = max(worst.get(ordinal, Outcome.NO_EFFECT), Outcome(outcome))
    return worst


def _sign(outcome: Outcome | None) -> str:
    if outcome in (None, Outcome.NO_EFFECT):
        return _NOTHING
    return _BAD if outcome is Outcome.NUISANCE else _GOOD


def _as_data(proposal: Proposal, tape: Tape) -> dict[str, Any]:
    """Give a proposal as plain data, with each moment."""
    moments = proposal.moments
    told = zip(moments.instant.tolist(), moments.outcome.tolist(), strict=True)
    return {
        "id": proposal.automation.id,
        "sentence": proposal.automation.alias,
        "tier": proposal.tier,
        "window_seconds": proposal.window,
        "q_value": proposal.q_value,
        "score": {**msgspec.structs.asdict(proposal.score), "precision": round(proposal.score.precision, 4)},
        "days": [dt.date.fromordinal(ordinal) for ordinal in proposal.days],
        "moments": [
            {"at": moment(instant * SECOND, tape.home.zone), "outcome": Outcome(outcome).name.lower()}
            for instant, outcome in told
        ],
        "automation": msgspec.to_builtins(proposal.automation),
    }


def _reminding(reminder: Reminder, tape: Tape) -> dict[str, Any]:
    """Give a reminder as plain data."""
    return {
        "id": reminder.automation.id,
        "sentence": reminder.automation.alias,
        "spans": reminder.spans,
        "longest_seconds": reminder.longest,
        "days": [dt.date.fromordinal(ordinal) for ordinal in reminder.days],
        "moments": [moment(instant * SECOND, tape.home.zone) for instant in reminder.instants],
        "automation": msgspec.to_builtins(reminder.automation),
    }


def _why_none(tape: Tape) -> str:
    if tape.size < LEAST_DAYS:
        days = f"{tape.size} day{'s' * (tape.size != 1)}"
        return f"Nothing to propose yet: {days} are too few. From {LEAST_DAYS} on some can be tried on."
    return f"Nothing to propose: in {tape.size} days nothing that people do follows surely enough from something else."
