"""Where fleets come from: a file, the simulated cloud, or the live one; and the function that answers about them."""
