# Fails while it runs.
ready = {"a": 1}
ready["b"]
