"""A Lambda function with FastAPI and Mangum that puts an item with boto3, as their documentation shows."""

import json
import os
import uuid
from typing import Any

import boto3
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()
table = boto3.resource(
    "dynamodb",
    region_name=os.environ["AWS_REGION"],
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
).Table(os.environ["DYNAMODB_TABLE"])


class NewOrder(BaseModel):
    data: dict[str, Any]


@app.post("/orders", status_code=201)
def create_order(body: NewOrder) -> dict[str, str]:
    order_id = uuid.uuid4().hex
    table.put_item(Item={"stream_id": order_id, "sort": "order", "data": json.dumps(body.data)})
    return {"order_id": order_id}


handler = Mangum(app, lifespan="off")
