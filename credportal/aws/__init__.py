"""AWS: the session client, its transport, and what its failures mean.

This is the one place that reads the AWS settings. The credentials of the portal itself
are no settings: they come from boto3's default chain.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """How the portal reaches AWS. An empty endpoint means the region's own one.

    ``deadline`` bounds one whole call. ``connect_timeout`` bounds reaching one address,
    ``read_timeout`` bounds the wait for the next bytes; both are never longer than what
    is left of the deadline. ``pool_size`` is the number of connections kept open.
    """

    region: str
    sts_endpoint: str = ""
    iam_endpoint: str = ""
    signin_endpoint: str = ""
    deadline: timedelta = timedelta(seconds=8)
    connect_timeout: timedelta = timedelta(seconds=2)
    read_timeout: timedelta = timedelta(seconds=5)
    pool_size: int = 8


def aws_settings() -> AwsSettings:
    """Read the AWS settings of this process."""
    return AwsSettings(
        region=settings.AWS_REGION,
        sts_endpoint=settings.AWS_ENDPOINT_URL_STS,
        iam_endpoint=settings.AWS_ENDPOINT_URL_IAM,
        signin_endpoint=settings.AWS_ENDPOINT_URL_SIGNIN.rstrip("/"),
        deadline=timedelta(seconds=settings.AWS_DEADLINE_SECONDS),
        pool_size=settings.AWS_POOL_SIZE,
    )
