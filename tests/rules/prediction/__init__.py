"""Tests of the rules of predictive dialing."""
