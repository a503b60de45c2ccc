"""When a list will be done: its rest, its callees and its agents in virtual time.

``world`` lets agents and callees act, call by call, and ``paces`` dials for them by the very rules
of the daemon; the laboratory of benchmarks tries those rules on the same world.  Chance comes from
the generator that is handed in, so that a seed repeats a run.
"""
