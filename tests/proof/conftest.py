"""The proof sends what the deliver tests send."""

from tests.deliver.conftest import frozen_mailing

__all__ = ["frozen_mailing"]
