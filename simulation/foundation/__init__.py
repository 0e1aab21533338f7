"""What every other room stands on: owners of random draws, the wish to end, cost, the version of the code."""

from typing import TYPE_CHECKING

from simulation.foundation.doors import open_door

if TYPE_CHECKING:
    from simulation.foundation.clean_start import FORKSERVER, SPAWN
    from simulation.foundation.code_version import compute_code_version
    from simulation.foundation.cost_meter import MIB, Meter
    from simulation.foundation.descriptors import TooFewDescriptorsError, compute_needed, ensure_available
    from simulation.foundation.differences import MISSING, Difference, find_differences, show_value
    from simulation.foundation.errors import OutputError, SimulationError
    from simulation.foundation.exit_codes import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_NO_DATASET, complain, make_printable
    from simulation.foundation.interruption import (
        EXIT_BASE,
        OF_THE_TERMINAL,
        SIGNALS,
        Interrupted,
        Interruption,
        hold_back,
    )
    from simulation.foundation.mechanism_parts import (
        SHIPPED,
        find_part,
        find_part_module,
        list_part_names,
        register_parts,
        unregister_parts,
    )
    from simulation.foundation.plugin_loading import (
        PACKAGE,
        Permission,
        blame_plugin,
        check_permitted,
        describe_error,
        guard_plugins,
        hash_source,
        list_sources,
        load_named_plugin,
        load_package,
        load_plugin,
        load_source,
        load_stored_plugin,
        permit_plugins,
        use_plugins,
    )
    from simulation.foundation.plugin_table import (
        NAME_PATTERN,
        Plugin,
        PluginError,
        PluginSource,
        PluginTable,
        enlist,
        find_place,
        is_plugin,
        list_in_force,
        locate,
        put_in_force,
    )
    from simulation.foundation.plugin_watch import PluginOvertime, PluginWatch
    from simulation.foundation.project import ROOT
    from simulation.foundation.randomness import derive_bytes, derive_generator, derive_random, derive_seed
    from simulation.foundation.strict_json import read_json
    from simulation.foundation.suggestions import suggest
    from simulation.foundation.units import MICROSECONDS, NANOSECONDS, to_micro, to_millionths
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "clean_start": "FORKSERVER SPAWN",
            "code_version": "compute_code_version",
            "cost_meter": "MIB Meter",
            "descriptors": "TooFewDescriptorsError compute_needed ensure_available",
            "differences": "Difference MISSING find_differences show_value",
            "errors": "OutputError SimulationError",
            "exit_codes": "EXIT_BAD_INPUT EXIT_FAILED EXIT_NO_DATASET complain make_printable",
            "interruption": "EXIT_BASE Interrupted Interruption OF_THE_TERMINAL SIGNALS hold_back",
            "mechanism_parts": ("SHIPPED find_part find_part_module list_part_names register_parts unregister_parts"),
            "plugin_loading": (
                "PACKAGE Permission blame_plugin check_permitted describe_error guard_plugins hash_source list_sources "
                "load_named_plugin load_package load_plugin load_source load_stored_plugin permit_plugins use_plugins"
            ),
            "plugin_table": (
                "NAME_PATTERN Plugin PluginError PluginSource PluginTable enlist find_place is_plugin list_in_force "
                "locate put_in_force"
            ),
            "plugin_watch": "PluginOvertime PluginWatch",
            "project": "ROOT",
            "randomness": "derive_bytes derive_generator derive_random derive_seed",
            "strict_json": "read_json",
            "suggestions": "suggest",
            "units": "MICROSECONDS NANOSECONDS to_micro to_millionths",
        },
    )

__all__ = [
    "EXIT_BAD_INPUT",
    "EXIT_BASE",
    "EXIT_FAILED",
    "EXIT_NO_DATASET",
    "FORKSERVER",
    "MIB",
    "MICROSECONDS",
    "MISSING",
    "NAME_PATTERN",
    "NANOSECONDS",
    "OF_THE_TERMINAL",
    "PACKAGE",
    "ROOT",
    "SHIPPED",
    "SIGNALS",
    "SPAWN",
    "Difference",
    "Interrupted",
    "Interruption",
    "Meter",
    "OutputError",
    "Permission",
    "Plugin",
    "PluginError",
    "PluginOvertime",
    "PluginSource",
    "PluginTable",
    "PluginWatch",
    "SimulationError",
    "TooFewDescriptorsError",
    "blame_plugin",
    "check_permitted",
    "complain",
    "compute_code_version",
    "compute_needed",
    "derive_bytes",
    "derive_generator",
    "derive_random",
    "derive_seed",
    "describe_error",
    "enlist",
    "ensure_available",
    "find_differences",
    "find_part",
    "find_part_module",
    "find_place",
    "guard_plugins",
    "hash_source",
    "hold_back",
    "is_plugin",
    "list_in_force",
    "list_part_names",
    "list_sources",
    "load_named_plugin",
    "load_package",
    "load_plugin",
    "load_source",
    "load_stored_plugin",
    "locate",
    "make_printable",
    "open_door",
    "permit_plugins",
    "put_in_force",
    "read_json",
    "register_parts",
    "show_value",
    "suggest",
    "to_micro",
    "to_millionths",
    "unregister_parts",
    "use_plugins",
]
