"""Policy, fleet, history and the time to one decision for every graph. Pure; the heart of the product."""
