"""Chaos: a campaign during which everything is killed, stopped and cut off, and then an audit.

``python -m chaos --help`` says how to run it.  This is a harness: it is not shipped in the wheel.
"""
