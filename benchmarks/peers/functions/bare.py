"""A Lambda function that puts an item with botocore, and has no framework."""

import json
import os
import uuid
from typing import Any

import botocore.session

client = botocore.session.get_session().create_client(
    "dynamodb",
    region_name=os.environ["AWS_REGION"],
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    order = json.loads(event["body"])
    item = {
        "stream_id": {"S": uuid.uuid4().hex},
        "sort": {"S": "order"},
        "data": {"S": json.dumps(order["data"])},
    }
    client.put_item(TableName=os.environ["DYNAMODB_TABLE"], Item=item)
    return {"statusCode": 201, "body": json.dumps({"order_id": item["stream_id"]["S"]})}
