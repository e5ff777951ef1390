"""The fast path of BC, TD3 and TD3+BC, with hand-written derivatives.

Each learner here computes the same as its autograd class, up to rounding; tests compare the two.
"""
