"""Rules for calling people, as data: docs/compliance.rst."""
