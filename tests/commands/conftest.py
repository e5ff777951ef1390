from tests.datasets.conftest import generated, own_directories
from tests.storage.conftest import s3_bucket, s3_endpoint

__all__ = ["generated", "own_directories", "s3_bucket", "s3_endpoint"]
