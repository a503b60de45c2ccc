"""Fuzzing of everything that reads what others wrote: ``make fuzz`` (CONTRIBUTING.rst).

Not part of the distribution's packages.  A *target* (``fuzz.targets``) takes bytes, hands them to
the product and raises where a property does not hold.  The inputs come from ``fuzz.seeded`` (a
seeded generator) or from ``fuzz.guided`` (atheris, which follows the code's coverage).
"""
