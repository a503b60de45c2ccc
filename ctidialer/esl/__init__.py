"""FreeSWITCH's Event Socket: a sans-IO protocol and the Twisted client upon it."""
