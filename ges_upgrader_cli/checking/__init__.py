"""What is to be said of a policy: its errors and warnings with their places, and its windows in words."""
