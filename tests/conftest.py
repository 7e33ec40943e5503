"""How laws are tried: few examples in a quick run, a thousand in ``make test-thorough``; never against the clock."""

from hypothesis import HealthCheck, settings

settings.register_profile("thorough", max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
