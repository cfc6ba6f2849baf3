"""Free text, English or Chinese: does it announce a GES version unmistakably? Words, a small grammar, and no guessing."""
