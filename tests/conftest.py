"""Settings all tests share.

Property tests draw the same examples on every run and are not timed one by one. Where several workers share the tests,
each takes one at a time, but for modules of one `xdist_group`: their tests share runs, and stay together.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("repeatable")

GROUP = re.compile(r'pytest\.mark\.xdist_group\("([^"]+)"\)')


class ModuleGroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Keeps the modules of a group on one worker.

    ``--dist loadgroup`` is meant to do that, but pytest-xdist 3.8 writes groups into names of tests, which pytest 9.2
    does not let it do; so they are read where they stand.
    """

    def _split_scope(self, nodeid: str) -> str:
        """Return the group of a test's module; a test of a module without one is alone."""
        return find_group(self.config.rootpath / nodeid.partition("::")[0]) or nodeid


@cache
def find_group(module: Path) -> str | None:
    """Return the group that a module is marked with."""
    found = GROUP.search(module.read_text("utf-8"))
    return found[1] if found else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Spread tests in groups where that is asked for."""
    return ModuleGroupScheduling(config, log) if config.option.dist == "loadgroup" else None
