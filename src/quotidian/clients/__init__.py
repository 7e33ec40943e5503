"""HTTP clients of our own services, with one policy of retries."""
