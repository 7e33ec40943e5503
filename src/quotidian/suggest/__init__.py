"""From habits to automations that were tested on days they were not learned from; all of it pure."""
