"""From the source to what FunctionGraph runs."""
