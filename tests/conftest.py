"""What holds for every test."""

import signal

# A shell's background job ignores Ctrl-C, and its children inherit that: a test that presses it could
# not be run by CI. With a handler here, children start with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)
