"""The HTTP interface: metrics, a JSON API, the dashboard.  Off unless ``[http] listen`` is set."""
