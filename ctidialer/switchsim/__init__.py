"""A simulated FreeSWITCH that speaks the Event Socket."""
