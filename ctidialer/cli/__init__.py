"""The command ctidialer, for people."""

from ctidialer.cli.main import main

__all__ = ["main"]
