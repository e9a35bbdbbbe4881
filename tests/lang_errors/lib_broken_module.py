# Fails inside a function.
def divide(a, b):
    return a / b
def half(x):
    return divide(x, 0)
