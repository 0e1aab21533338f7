"""The pure core of proof of training: what a node decides.

No clock, randomness, process, file, log or TensorFlow lives here. `protocol.node.PoTNode` is where to start reading;
``docs/protocol.md`` is the text it implements.
"""
