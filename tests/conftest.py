"""How many examples the laws are tried on: few in a quick run, a thousand in ``make test-thorough``."""

from hypothesis import HealthCheck, settings

settings.register_profile("thorough", max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
