"""Who the agents are for whom a task dials (docs/agents.rst): by mod_callcenter, by the back end.

``roster`` is the door of it.  Nothing is asked for while no task names agents.
"""
