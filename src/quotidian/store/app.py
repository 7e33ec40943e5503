"""The store as a service: the only one that opens a database."""
