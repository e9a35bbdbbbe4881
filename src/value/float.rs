//! Floats: script-visible behaviour of `float`.
