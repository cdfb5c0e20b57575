"""The {{ cookiecutter.__aggregate_words }}: what it is, what can be asked of it, what can happen to it."""
