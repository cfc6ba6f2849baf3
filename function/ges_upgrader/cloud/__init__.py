"""Huawei Cloud as the function meets it: one thin client a service over one signed, retrying transport."""
