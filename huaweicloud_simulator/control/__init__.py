"""The control API under `/_control` and the page at `/`: what no cloud has, such as a clock that can be set."""
