"""mod_callcenter, as far as the Event Socket shows it: agents, tiers, queues and their members.

It behaves as recordings of the real module show (docs/simulated-switch.rst).  The legs of agents
have a UUID that ``uuid_exists`` and ``uuid_kill`` know, and no events of their own.
"""
