"""{{ cookiecutter.service_name }}: an event-driven, domain-driven microservice."""

__version__ = "0.1.0"
