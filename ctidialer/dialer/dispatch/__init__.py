"""Which numbers are taken, and when."""
