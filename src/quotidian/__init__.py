"""Quotidian learns what a home does every day."""

__version__ = "0.1.0"
