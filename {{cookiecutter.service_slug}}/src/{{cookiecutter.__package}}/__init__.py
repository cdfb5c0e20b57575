"""{{ cookiecutter.service_name }}.

An event-driven, domain-driven microservice.
"""

__version__ = "0.1.0"
