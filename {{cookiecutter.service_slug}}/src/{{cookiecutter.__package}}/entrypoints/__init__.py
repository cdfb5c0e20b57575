"""The entry points: each turns a request into a message, and the outcome into a response."""
