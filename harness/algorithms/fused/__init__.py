"""The fast path of BC, TD3 and TD3+BC, with hand-written derivatives.

Each learner here computes the same as its autograd class, up to rounding; tests compare the two.

learner                 the base class of `bc`, `td3` and `td3_bc`
networks, kernels       perceptrons and their derivatives (buffers: their memory)
batches                 the layout of what they take
optimizer               Adam
"""
