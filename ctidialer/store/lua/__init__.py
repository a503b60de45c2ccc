"""The scripts that make each step in Redis atomic."""
