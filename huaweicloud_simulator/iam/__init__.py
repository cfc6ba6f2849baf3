"""IAM and STS: projects, agencies, policies, what they allow, and temporary credentials (deploy.md 4)."""
