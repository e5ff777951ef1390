"""The fast path of BC, TD3 and TD3+BC: their derivatives written out by hand.

Each learner here gives what its autograd class gives, up to rounding; the tests hold the two equal.
"""
