"""What every test may rely on."""

import signal

# Who is started in the background of a script ignores Ctrl-C, and hands that on to all that it starts:
# verbs that a test interrupts would go on for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
