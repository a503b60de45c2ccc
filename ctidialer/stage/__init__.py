"""A whole stage in child processes: Redis, a switch and a daemon."""
