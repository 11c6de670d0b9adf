"""The ledger beside plain SQLite, and what a year in it costs when a site is set up."""
