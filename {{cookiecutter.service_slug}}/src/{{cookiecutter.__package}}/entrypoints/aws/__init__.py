"""The AWS Lambda functions of this service: `template.yaml` names them."""
