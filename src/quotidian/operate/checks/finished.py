"""Where finished days and summaries lie: the setting, and InfluxDB where it names that."""

from quotidian.errors import QuotidianError
from quotidian.operate.checks.check import Check
from quotidian.settings import SETTINGS, Settings
from quotidian.store.connect import lacking

_NAME = "store kind"


def finished_checks(settings: Settings) -> list[Check]:
    """Look at InfluxDB where it is the store, and at its settings where it is not."""
    kind = settings.text("QUOTIDIAN_STORE")
    if kind == "influx":
        return [_influx(settings)]
    if kind != "embedded":
        return [Check(_NAME, "problem", f"QUOTIDIAN_STORE is {kind!r}.", "Set it to embedded or influx.")]
    named = [one.name for one in SETTINGS if one.name.startswith("INFLUXDB_") and settings.origin(one.name)]
    if not named:
        return []
    told = f"{', '.join(named)} {'is' if len(named) == 1 else 'are'} set, but QUOTIDIAN_STORE is embedded."
    return [Check(_NAME, "warning", told, "Set QUOTIDIAN_STORE=influx, or take them away: nothing goes to InfluxDB.")]


def _influx(settings: Settings) -> Check:
    try:
        found = lacking(settings)
    except QuotidianError as error:
        return Check.of(_NAME, error)
    if found:
        return Check(_NAME, "problem", f"In InfluxDB {'; '.join(found)}.", "Run `quotidian store init`.")
    return Check(_NAME, "ok", "InfluxDB answers, and its buckets are in order.")
