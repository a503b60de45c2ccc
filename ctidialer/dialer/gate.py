"""The gate stands in :mod:`ctidialer.glue`; this name goes when nobody uses it any more."""

from __future__ import annotations

from ctidialer.glue import Gate

__all__ = ["Gate"]
