"""What a user may write, and the scenario it stands for."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.scenario.behaviours import (
        PLUGIN_BEHAVIOURS,
        ROLES,
        BehaviourSection,
        build_plugin_section,
        find_behaviour,
    )
    from simulation.scenario.corruptions import load_resolved, resolve_corruptions
    from simulation.scenario.cross_checks import MAX_LINKS
    from simulation.scenario.data_fit import check_fit
    from simulation.scenario.defaults import from_constant, load_constants, read_constant
    from simulation.scenario.engine_traits import ENGINE_TRAITS
    from simulation.scenario.error_messages import Step, describe_bound, explain, show
    from simulation.scenario.errors import Inconsistency, ScenarioError, UntrustedPluginError, shorten
    from simulation.scenario.fields import Name, OneLine, Section
    from simulation.scenario.loading import (
        CONFIGS,
        anchor_override,
        build_scenario,
        find_scenario,
        list_shipped,
        load_scenario,
        load_stored_scenario,
        override_plugins,
        read_scenario,
    )
    from simulation.scenario.mechanism_keys import TRAINING, ChainKeys, MechanismKeys
    from simulation.scenario.network import (
        PLUGIN_LATENCIES,
        PLUGIN_TOPOLOGIES,
        Eclipse,
        Latency,
        Network,
        NetworkPart,
        Outage,
        Partition,
        PluginLatency,
        PluginTopology,
    )
    from simulation.scenario.overrides import Override, check_option_agrees, parse_override
    from simulation.scenario.own_keys import OwnKeys, read_own_keys, suggest
    from simulation.scenario.plugin_keys import (
        PLUGINS_FOLDER,
        PluginKeys,
        list_plugin_files,
        pin_plugins,
        put_plugins_in_force,
    )
    from simulation.scenario.populations import Poison, Population
    from simulation.scenario.scenario import Scenario, fingerprint_keys
    from simulation.scenario.sections import TrainingJobKeys
    from simulation.scenario.strict_yaml import read_file, read_value, write_text
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "behaviours": "PLUGIN_BEHAVIOURS ROLES BehaviourSection build_plugin_section find_behaviour",
            "corruptions": "load_resolved resolve_corruptions",
            "cross_checks": "MAX_LINKS",
            "defaults": "from_constant load_constants read_constant",
            "engine_traits": "ENGINE_TRAITS",
            "error_messages": "Step describe_bound explain show",
            "errors": "Inconsistency ScenarioError UntrustedPluginError shorten",
            "fields": "Name OneLine Section",
            "loading": (
                "CONFIGS anchor_override build_scenario find_scenario list_shipped load_scenario "
                "load_stored_scenario override_plugins read_scenario"
            ),
            "mechanism_keys": "ChainKeys MechanismKeys TRAINING",
            "network": (
                "PLUGIN_LATENCIES PLUGIN_TOPOLOGIES Eclipse Latency Network NetworkPart Outage "
                "Partition PluginLatency PluginTopology"
            ),
            "overrides": "Override check_option_agrees parse_override",
            "own_keys": "OwnKeys read_own_keys suggest",
            "plugin_keys": "PLUGINS_FOLDER PluginKeys list_plugin_files pin_plugins put_plugins_in_force",
            "populations": "Poison Population",
            "scenario": "Scenario fingerprint_keys",
            "data_fit": "check_fit",
            "sections": "TrainingJobKeys",
            "strict_yaml": "read_file read_value write_text",
        },
    )

__all__ = [
    "CONFIGS",
    "ENGINE_TRAITS",
    "MAX_LINKS",
    "PLUGINS_FOLDER",
    "PLUGIN_BEHAVIOURS",
    "PLUGIN_LATENCIES",
    "PLUGIN_TOPOLOGIES",
    "ROLES",
    "TRAINING",
    "BehaviourSection",
    "ChainKeys",
    "Eclipse",
    "Inconsistency",
    "Latency",
    "MechanismKeys",
    "Name",
    "Network",
    "NetworkPart",
    "OneLine",
    "Outage",
    "Override",
    "OwnKeys",
    "Partition",
    "PluginKeys",
    "PluginLatency",
    "PluginTopology",
    "Poison",
    "Population",
    "Scenario",
    "ScenarioError",
    "Section",
    "Step",
    "TrainingJobKeys",
    "UntrustedPluginError",
    "anchor_override",
    "build_plugin_section",
    "build_scenario",
    "check_fit",
    "check_option_agrees",
    "describe_bound",
    "explain",
    "find_behaviour",
    "find_scenario",
    "fingerprint_keys",
    "from_constant",
    "list_plugin_files",
    "list_shipped",
    "load_constants",
    "load_resolved",
    "load_scenario",
    "load_stored_scenario",
    "override_plugins",
    "parse_override",
    "pin_plugins",
    "put_plugins_in_force",
    "read_constant",
    "read_file",
    "read_own_keys",
    "read_scenario",
    "read_value",
    "resolve_corruptions",
    "shorten",
    "show",
    "suggest",
    "write_text",
]
