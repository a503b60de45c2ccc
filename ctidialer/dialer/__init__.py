"""The work: numbers are claimed, dialed, followed and settled."""
