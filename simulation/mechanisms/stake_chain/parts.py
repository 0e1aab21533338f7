"""What chain-based proof of stake contributes outside the core: where each part is. Naming them here loads none."""

from typing import Final

_HERE: Final = "simulation.mechanisms.stake_chain"

PARTS: Final = {
    "keys": f"{_HERE}.keys:StakeKeys",
    "genesis": f"{_HERE}.genesis:build_mechanism",
    "transfers": f"{_HERE}.transfers:plan_bonding",
    "behaviours": f"{_HERE}.behaviours.catalogue:add_behaviours",
    "reporter": f"{_HERE}.reporter:StakeReporter",
    "chain_lines": f"{_HERE}.chain_lines:StakeLines",
    "measures": f"{_HERE}.measures:measure_stake",
    "compared": f"{_HERE}.compared:COMPARED",
    "summary": f"{_HERE}.summary:summarise_stake",
    "promises": f"{_HERE}.promises:StakePromises",
    "fuzz": f"{_HERE}.fuzz:StakeFuzz",
    "soak": f"{_HERE}.soak:StakeDraws",
    "verification": f"{_HERE}.verification:StakeVerification",
    "view": f"{_HERE}.view:StakeView",
}
