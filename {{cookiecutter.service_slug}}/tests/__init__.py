"""The specification of the service, as tests: unit, contract, integration, e2e."""
