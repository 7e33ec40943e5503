"""Automations as Home Assistant's configuration, from and to; all of it pure."""

from quotidian.homeassistant.configuration.node import Tagged, entities_named, services_named
from quotidian.homeassistant.configuration.understood import NotAnalysed, understood
from quotidian.homeassistant.configuration.written import CURRENT, OLDER, Configuration, Keys, configuration_of, keys_of

__all__ = [
    "CURRENT",
    "OLDER",
    "Configuration",
    "Keys",
    "NotAnalysed",
    "Tagged",
    "configuration_of",
    "entities_named",
    "keys_of",
    "services_named",
    "understood",
]
