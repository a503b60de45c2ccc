"""What to do. Pure: the present time is an argument, and nothing here does I/O."""
