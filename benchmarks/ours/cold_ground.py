"""What a deployment makes before the functions start: the table and the bucket."""

from __future__ import annotations

import sys

import boto3
from bench_service.bootstrap import create_store
from bench_service.config import load_settings

from benchmarks.contender import serve


def make() -> None:
    settings = load_settings()
    create_store(settings)
    client = boto3.client("s3", endpoint_url=settings.aws_endpoint_url)
    where = {"LocationConstraint": settings.aws_region}
    client.create_bucket(Bucket=sys.argv[1], CreateBucketConfiguration=where)


if __name__ == "__main__":
    serve(make=make)
