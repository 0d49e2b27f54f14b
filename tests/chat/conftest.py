"""The contract's assertions are explained as those of test modules are."""

import pytest

pytest.register_assert_rewrite("tests.chat.contract", "tests.chat.harness")
