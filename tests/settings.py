"""The product's settings with what tests need: an environment of their own, and a cheap password hash."""

import os
import tempfile
from pathlib import Path

os.environ.update(
    {
        "CREDPORTAL_MODE": "demo",
        "SECRET_KEY": "demo-key-of-the-tests-0123456789abcdef",
        "CREDPORTAL_IDENTITY_CHAINS": "false",
        "CREDPORTAL_TRUSTED_PROXIES": "0",
        "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIATESTSOFCREDPORTAL",
        "AWS_SECRET_ACCESS_KEY": "of-the-tests-and-of-nothing-else",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Nothing listens there: a test that forgets its own STS fails at once.
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "CREDPORTAL_EMAIL_SERVER": "smtp://127.0.0.1:9",
    }
)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CREDPORTAL_DEMO_ENDPOINT", "DEBUG", "LOG_LEVEL", "CACHE_URL"):
    os.environ.pop(name, None)

from credportal.settings import *  # noqa: E402, F403 -- the environment comes first; settings are a flat list.
from credportal.settings import DATABASES, STORAGES  # noqa: E402 -- as above.

TEMPORARY = Path(tempfile.mkdtemp(prefix="credportal-tests-"))
STATIC_ROOT = str(TEMPORARY / "static")
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: the tests meet the locks and the journal that the product meets.
    DATABASES["default"]["TEST"] = {"NAME": str(TEMPORARY / "test.sqlite3")}
