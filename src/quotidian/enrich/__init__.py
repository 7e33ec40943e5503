"""From what Home Assistant said to events: validated, normalised, with what the registries said at that time."""
