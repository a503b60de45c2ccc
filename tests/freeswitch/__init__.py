"""Tests against a real FreeSWITCH, run only where one is named (see `real_switch`)."""
