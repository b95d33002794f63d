"""Stand-in for ReccoBeats, for local use beside the Spotify sandbox.

It knows how the sandbox's made-up songs sound: they come from the generator of the demo catalogue.
"""
