"""How many calls to place so that agents are busy and few callees wait: predictive dialing.

What was seen is learnt (``handle_time``, ``ringing``), what comes is foreseen (``look_ahead``), how
much risk is taken follows the share of abandoned calls (``feedback``), and ``pacer`` puts the three
together.  All of it is arithmetic on values; docs/prediction.rst has the method and its sources.
"""
