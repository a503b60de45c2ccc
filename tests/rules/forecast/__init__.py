"""Tests of the forecast's rules."""
