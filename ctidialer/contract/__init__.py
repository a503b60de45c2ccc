"""What stands in Redis, as values. Pure: no reactor, no clock, no I/O."""
