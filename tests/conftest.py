"""Settings all tests share: property tests draw the same examples on every run and are not timed one by one."""

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("repeatable")
