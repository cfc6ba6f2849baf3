"""The services beside GES, one file each."""
