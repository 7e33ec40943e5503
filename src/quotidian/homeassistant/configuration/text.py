"""Configurations as YAML, read and written as Home Assistant does: by the same library, version 1.1 of the language."""

from collections.abc import Iterable
from typing import Any, Final

import yaml

from quotidian.errors import SourceError
from quotidian.homeassistant.configuration.node import Tagged
from quotidian.homeassistant.configuration.written import Configuration

_PARTS: Final = ("triggers", "trigger", "use_blueprint")
_KEY: Final = "automation"
_BREAKS: Final = "\x85\u2028\u2029"


class _Loader(yaml.SafeLoader):
    """Reads plain values; what a tag of Home Assistant stands for is not looked up."""


def _tagged(_: _Loader, suffix: str, node: yaml.Node) -> Tagged:
    value = f" {node.value}" if isinstance(node, yaml.ScalarNode) else ""
    return Tagged(f"!{suffix}{value}")


_Loader.add_multi_constructor("!", _tagged)


class _Dumper(yaml.SafeDumper):
    """Writes plain values."""


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    """Write a text; the line breaks that are none in ASCII only last in double quotation marks."""
    style = '"' if any(letter in _BREAKS for letter in text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(configurations: Iterable[Configuration]) -> str:
    """Write configurations as a list, as it stands in ``automations.yaml``."""
    return yaml.dump(list(configurations), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def from_yaml(text: str) -> list[Any]:
    """Give the configurations of automations in a text: a list, one, or a whole ``configuration.yaml`` with some.

    What stands for something else (``!secret``, ``!include``, ``!input``) becomes a ``Tagged``.

    Raises
    ------
    SourceError
        When it is not YAML, or no automation is in it.
    """
    try:
        found = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SourceError(f"This is not YAML{place}: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise SourceError(f"This is not YAML: {type(error).__name__}.") from error
    automations = _automations(found)
    if not automations:
        raise SourceError(
            "No automation is in this file.",
            "It should hold a list of them as automations.yaml does, or one as the editor shows it.",
        )
    return automations


def _automations(found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        return []
    if any(key in found for key in _PARTS):
        return [found]
    parts = [part for key, part in found.items() if str(key).split(" ")[0] == _KEY]
    return [one for part in parts for one in (part if isinstance(part, list) else [part]) if one is not None]
