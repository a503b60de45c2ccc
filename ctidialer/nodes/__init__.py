"""A node as it is seen from Redis, without its daemon: for the commands and the HTTP interface."""
