"""The nouns of the product: graphs, releases, attempts, decisions, versions and times. Values without I/O;
everything else is built from them."""
