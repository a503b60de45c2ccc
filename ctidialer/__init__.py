"""ctidialer: an outbound dialer for FreeSWITCH, configured entirely through Redis."""
