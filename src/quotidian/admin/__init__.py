"""The admin service: how everything is, in one place, and the first web interface."""
