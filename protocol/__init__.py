"""The pure core: what a node decides, whichever mechanism its chain has.

No clock, randomness, process, file, log or TensorFlow lives here. `protocol.node.Node` is where to start reading;
``docs/protocol.md`` is the text it implements.
"""
