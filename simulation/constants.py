"""The defaults a user may edit, each with its unit. A scenario file overrides any of them for itself.

``configs/default.yaml`` names only its populations and leaves the rest to this file, so a change here changes what
``python main.py`` does.
"""

from typing import Final

# ---- run ----

SEED: Final = 42
"""Every random draw of a run derives from this number."""

ENGINE: Final = "processes"
"""How nodes are run: `processes` gives each an operating-system process, `virtual` simulates time in one process."""

MECHANISM: Final = "proof_of_training"
"""How blocks are agreed on; `python main.py mechanisms` lists what there is."""

TIME_LIMIT_S: Final = 300.0
"""Seconds after which a run is stopped, finished or not."""

LINGER_S: Final = 3.0
"""Seconds that honest nodes get to agree after the employer has taken delivery."""

# ---- data ----

DATASET: Final = "mnist"
"""Data set the job trains on."""

DATASET_REQUIRED: Final = False
"""Whether a run stops (exit 3) instead of falling back to the bundled digits where the data set cannot be had."""

# ---- job ----

MODEL: Final = "dense"
"""What is trained: `dense`, `cnn` or `logistic`; the next two constants are about `dense` alone."""

HIDDEN_LAYERS: Final = (128,)
"""Units of each hidden layer of the dense network, input side first."""

ACTIVATION: Final = "relu"
"""Activation of the hidden layers, by its Keras name."""

OPTIMIZER: Final = "adam"
"""Optimiser: `adam` or `sgd`."""

LEARNING_RATE: Final = 0.001
"""Step size of the optimiser."""

BATCH_SIZE: Final = 32
"""Samples in one optimiser step."""

STEPS_PER_STAGE: Final = 375
"""Optimiser steps between two blocks; 5 stages of 375 steps of 32 samples are one epoch of MNIST."""

STAGES: Final = 5
"""Blocks the job takes."""

XLA: Final = False
"""Whether the stage is compiled with XLA: faster steps, about a second more to start a node, other rounding."""

# ---- protocol ----

CONFIDENCE_RULE: Final = "stake_share"
"""What a header needs: `stake_share` (more than this share of all stake) or `count` (this many declarations)."""

CONFIDENCE_STAKE_SHARE: Final = 0.5
"""Share of all stake, 0 to 1, that a header's declarers must exceed."""

CONFIDENCE_COUNT: Final = 3
"""Declarations a header needs under the rule `count`."""

STAKEHOLDERS: Final = 3
"""K: stakeholders drawn for each header; K-1 sign and the last one wraps the block."""

SLOT_MS: Final = 25.0
"""Length of a lottery slot, in milliseconds."""

DECLARATIONS_PER_SLOT: Final = 2.5
"""Declaration rights won in a slot by all stake together, on average, under version 1 of the rules or with a count."""

DECLARATIONS_PER_SLOT_BY_STAKE: Final = 1_000_000.0
"""The same under version 2 with a stake share: everybody at once. With few, those who keep their declarations back need
fewer slots than others do, and propose first."""

HEADERS_PER_SLOT: Final = 0.3
"""Proposal rights won in a slot by all stake together, on average."""

MAX_TRANSACTIONS: Final = 200
"""Transactions a block may hold."""

RULES: Final = 2
"""Version of the protocol's rules, 1 or 2; docs/protocol.md says what 2 repairs."""

TOLERANCE: Final = 0.0
"""Largest difference of any weight from a node's own that it still takes for the same training; 0: bit by bit."""

REWARD_PROPOSER: Final = 0.4
"""Share of a block's subsidy for its proposer, 0 to 1; the three shares sum to 1."""

REWARD_DECLARERS: Final = 0.3
"""Share split among the declarers in the header."""

REWARD_STAKEHOLDERS: Final = 0.3
"""Share split among the K stakeholders."""

# ---- populations ----

STAKE_COINS: Final = 1000.0
"""Bonded coins of each node."""

SPEED: Final = 1.0
"""Training speed of a node in the virtual engine, as a multiple; under proof of work its power, in both engines."""

POISON_KIND: Final = "appended_mislabelled"
"""How a data-injection attacker alters its training data."""

POISON_SHARE: Final = 0.5
"""Samples altered, or appended, as a share of the training set (0 to 1)."""

# ---- users ----

USERS: Final = 10
"""Users that send each other coins."""

USER_BALANCE_COINS: Final = 100.0
"""Coins each user starts with."""

USER_TRANSACTIONS: Final = 50
"""Transfers issued in a run, by all users together."""

USER_TRANSACTIONS_PER_S: Final = 25.0
"""Transfers issued in a second, by all users together."""

USER_FEE_COINS: Final = 0.01
"""Fee of a transfer, in coins."""

# ---- ledger ----

STAMP_BITS: Final = 0
"""Zero bits that the hash of a transfer's stamp must begin with, so that sending many costs much; 0: no stamps."""

# ---- network ----

TOPOLOGY: Final = "full_mesh"
"""Who is linked to whom: `full_mesh`, `ring`, `random_regular`, `small_world`, `two_level` or `edges`."""

DEGREE: Final = 6
"""Links of each node in `random_regular` and `small_world`."""

REWIRING: Final = 0.1
"""Share of links, 0 to 1, that `small_world` moves to a random node."""

CLIENT_LINKS: Final = 16
"""Nodes that the employer, and the users, are linked to; all of them where there are fewer."""

MAIN_NODES: Final = 8
"""Nodes of the inner full mesh of `two_level`."""

LATENCY_KIND: Final = "constant"
"""How long frames are under way: `constant`, `uniform`, `lognormal` or `regions`."""

LATENCY_MS: Final = 0.0
"""Milliseconds a frame is under way, besides what the engine itself takes."""

LATENCY_SIGMA: Final = 0.5
"""Standard deviation of the logarithm of a `lognormal` latency."""

REORDERING_MS: Final = 100.0
"""Most milliseconds that a reordered frame is delayed."""

OUTAGE_DISK: Final = "kept"
"""Whether a node that was down still has its chain: `kept` or `lost`."""

# ---- what is told ----

WATTS_PER_CORE: Final = 10.0
"""Watts that a busy core is taken to draw, where processor time is told as energy: nothing measures it. Processors for
servers draw some 2 to 15 a core under load; write what a meter says of yours."""

# ---- virtual engine ----

STEP_US: Final = 300.0
"""Simulated microseconds of one training step of a node of speed 1."""

TRAINER: Final = "keras"
"""How the virtual engine trains: `keras`, or `fake` for none at all."""

MEMOISE_TRAINING: Final = True
"""Whether the virtual engine does equal training once."""

# ---- output ----

RECORDS: Final = "all"
"""Whether `all` that happens has its record, or only the `essential`, with the rest counted."""

PICTURES: Final = True
"""Whether a run draws PNG pictures into its folder."""

JOURNAL: Final = False
"""Whether each party's inputs are kept, so that `replay` can feed them to fresh cores."""
