"""The one durable queue: a log on disk with a cursor for each sink."""
