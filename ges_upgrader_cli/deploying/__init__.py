"""A deployment as values: the template, the rights that it needs, and the same for Terraform."""
