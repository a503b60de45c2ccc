"""The command ctidialer, for people."""
