"""The life of one number, from its claim to its record."""
