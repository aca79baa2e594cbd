"""`modes`: the root whose outputs several suites judge, the module in every mode, applied once.

A fixture of pytest-terraform, and a pytest plugin: a suite names it in `pytest_plugins`. LocalStack
goes at the end, and all of it with it; a destroy would be refused, as deletion protection is on.
"""

from __future__ import annotations

from pytest_terraform import terraform

terraform("modes", scope="session", teardown=terraform.TEARDOWN_OFF)
