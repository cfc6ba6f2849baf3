"""The API of FunctionGraph on the wire."""
