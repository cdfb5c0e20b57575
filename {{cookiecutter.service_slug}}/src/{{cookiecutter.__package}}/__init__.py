"""{{ cookiecutter.service_name }}: an event-driven, domain-driven microservice."""
