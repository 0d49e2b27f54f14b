"""The questions of the verbs on Junos and IOS XR: scripted command lines that print as the vendors' do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automation_bots.drivers.network.show import getters
from automation_bots.model import Device, Operation, Status
from automation_bots.operations import playbooks, verbs
from tests.drivers.network.bench import Chat, driver
from tests.fakes.clis import PASSWORD, USER, Scripted, Shelf

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]


def element(**values):
    """An element as Junos prints it in JSON: texts in lists, elements too."""
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return {name: value if isinstance(value, list) else [{"data": value}] for name, value in named.items()}


JUNOS = {
    "show version": {"software-information": [element(host_name="mx1", product_model="mx204", junos_version="21.4R3")]},
    "show chassis hardware": {"chassis-inventory": [{"chassis": [element(serial_number="JN1234")]}]},
    "show interfaces": {
        "interface-information": [
            {
                "physical-interface": [
                    element(name="ge-0/0/0", admin_status="up", oper_status="up", speed="1000mbps",
                            current_physical_address="02:00:00:00:00:01", description="to r2"),
                    element(name="ge-0/0/1", admin_status="down", oper_status="down"),
                ]
            }
        ]
    },
    "show bgp summary": {
        "bgp-information": [{"bgp-peer": [element(peer_address="192.0.2.2", elapsed_time="1d 2:03:04")]}]
    },
    "show bgp neighbor": {
        "bgp-information": [
            {
                "bgp-peer": [
                    element(peer_address="192.0.2.2+179", peer_as="65002", peer_state="Established",
                            peer_cfg_rti="master", description="r2",
                            bgp_rib=[element(name="inet.0", received_prefix_count="3", advertised_prefix_count="2")]),
                    element(peer_address="192.0.2.9", peer_as="65009", peer_state="Idle", peer_cfg_rti="red"),
                ]
            }
        ]
    },
    "show lldp neighbors": {
        "lldp-neighbors-information": [
            {
                "lldp-neighbor-information": [
                    element(lldp_local_port_id="ge-0/0/0", lldp_remote_system_name="r2", lldp_remote_port_id="xe-0/0/1")
                ]
            }
        ]
    },
    "show ethernet-switching table": {
        "l2ng-l2ald-rtb-macdb": [
            {
                "l2ng-l2ald-mac-entry-vlan": [
                    {
                        "l2ng-mac-entry": [
                            element(l2ng_l2_mac_vlan_name="v7", l2ng_l2_mac_address="02:00:00:00:00:07",
                                    l2ng_l2_mac_flags="D,SE", l2ng_l2_mac_logical_interface="ge-0/0/0.0")
                        ]
                    }
                ]
            }
        ]
    },
    "show arp no-resolve": {
        "arp-table-information": [
            {
                "arp-table-entry": [
                    element(mac_address="02:00:00:00:00:02", ip_address="192.0.2.2", interface_name="ge-0/0/0.0")
                ]
            }
        ]
    },
    "show route 192.0.2.2": {
        "route-information": [
            {
                "route-table": [
                    {
                        "rt": [
                            element(rt_destination="192.0.2.0/24",
                                    rt_entry=[element(active_tag="*", protocol_name="Direct",
                                                      nh=[element(via="ge-0/0/0.0")])])
                        ]
                    }
                ]
            }
        ]
    },
}  # fmt: skip
XR = {
    "show version": """\
Sun Nov 29 10:00:00.000 UTC
Cisco IOS XR Software, Version 7.3.2
Copyright (c) 2013-2021 by Cisco Systems, Inc.

Build Information:
 Built By     : deenayak
 Version      : 7.3.2

cisco NCS-5500 () processor
xr1 uptime is 3 weeks 2 days 4 hours 5 minutes""",
    "show interfaces": """\
GigabitEthernet0/0/0/0 is up, line protocol is up
  Interface state transitions: 1
  Hardware is GigabitEthernet, address is 0200.0000.0001 (bia 0200.0000.0001)
  Description: to r2
  Internet address is 192.0.2.1/24
  MTU 1514 bytes, BW 1000000 Kbit (Max: 1000000 Kbit)
GigabitEthernet0/0/0/1 is administratively down, line protocol is administratively down
  Hardware is GigabitEthernet, address is 0200.0000.0002 (bia 0200.0000.0002)
  MTU 1514 bytes, BW 1000000 Kbit (Max: 1000000 Kbit)""",
    "show bgp summary": """\
BGP router identifier 192.0.2.1, local AS number 65001
Neighbor        Spk    AS MsgRcvd MsgSent   TblVer  InQ OutQ  Up/Down  St/PfxRcd
192.0.2.2         0 65002     100     101       12    0    0 01:23:45          3
192.0.2.9         0 65009       0       0        0    0    0 00:00:00 Idle""",
    "show lldp neighbors": """\
Capability codes:
        (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device

Device ID       Local Intf                      Hold-time  Capability      Port ID
r2              GigabitEthernet0/0/0/0          120        R               Gi0/0/0/1

Total entries displayed: 1""",
    "show arp": """\
Address         Age        Hardware Addr   State      Type  Interface
192.0.2.1       -          0200.0000.0001  Interface  ARPA  GigabitEthernet0/0/0/0
192.0.2.2       00:10:11   0200.0000.0003  Dynamic    ARPA  GigabitEthernet0/0/0/0""",
    "show route 192.0.2.2": """\
Routing entry for 198.51.100.0/24
  Known via "bgp 65001", distance 20, metric 0
  Tag 65002, type external
  Installed Nov 29 10:00:00.000 for 01:23:45
  Routing Descriptor Blocks
    192.0.2.2, from 192.0.2.2, BGP external
      Route metric is 0
  No advertising protos.""",
    "show platform": """\
Node              Type                       State             Config state
--------------------------------------------------------------------------------
0/0/CPU0          NC55-36X100G               IOS XR RUN        NSHUT
0/1/CPU0          NC55-36X100G               IOS XR RUN        NSHUT
0/2/CPU0          NC55-36X100G               POWERED_OFF       NSHUT
0/FT0             NC55-5508-FAN              OPERATIONAL       NSHUT""",
    "show l2vpn mac-learning mac all location 0/0/CPU0": """\
Sun Nov 29 10:00:00.000 UTC
Topo ID  Producer       Next Hop(s)         Mac Address    IP Address
-------  --------       ------------------  -------------- ----------
1        0/0/CPU0       BE1.7               0200.0000.0077
0        0/1/CPU0       Gi0/1/0/1.9         0200.0000.0079""",
    "show l2vpn mac-learning mac all location 0/1/CPU0": """\
Sun Nov 29 10:00:00.000 UTC
Topo ID  Producer       Next Hop(s)         Mac Address    IP Address
-------  --------       ------------------  -------------- ----------
0        0/1/CPU0       Gi0/1/0/1.9         0200.0000.0079""",
}
SHELL = {
    "set cli screen-width 511": "Screen width set to 511",
    "set cli screen-length 0": "Screen length set to 0",
    "set cli complete-on-space off": "Disabling complete-on-space",
    "terminal width 511": "",
    "terminal length 0": "",
}
JSON = {f"{line} | display json": json.dumps(said, indent=2) for line, said in JUNOS.items()}
KINDS = {
    "juniper_junos": ("lab@d1> ", JSON, "error: syntax error, expecting <command>: nonsense"),
    "cisco_xr": ("RP/0/RP0/CPU0:d1#", XR, "% Invalid input detected at '^' marker."),
}
ANSWERS = {
    ("juniper_junos", "facts"): ["mx1       Juniper  mx204  21.4R3   JN1234"],
    ("juniper_junos", "interfaces"): [
        "ge-0/0/0   yes  yes      1000mbps  02:00:00:00:00:01  to r2",
        "ge-0/0/1   no   no",
    ],
    ("juniper_junos", "bgp"): [
        "default  192.0.2.2  65002  Established  1d 2:03:04  3         2     r2",
        "red      192.0.2.9  65009  Idle                     0         0",
    ],
    ("juniper_junos", "lldp"): ["ge-0/0/0   r2        xe-0/0/1"],
    ("juniper_junos", "mac"): ["v7    02:00:00:00:00:07  ge-0/0/0.0  no"],
    ("juniper_junos", "arp"): ["ge-0/0/0.0  192.0.2.2  02:00:00:00:00:02"],
    ("juniper_junos", "route"): ["192.0.2.0/24  direct    directly connected  ge-0/0/0.0  yes"],
    ("cisco_xr", "facts"): ["xr1       Cisco   ncs-5500  7.3.2    3 weeks 2 days 4 hours 5 minutes"],
    ("cisco_xr", "interfaces"): [
        "GigabitEthernet0/0/0/0  yes  yes      1000000 Kbit  0200.0000.0001  to r2",
        "GigabitEthernet0/0/0/1  no   no       1000000 Kbit  0200.0000.0002",
    ],
    ("cisco_xr", "bgp"): [
        "default  192.0.2.2  65002  Established  01:23:45  3",
        "default  192.0.2.9  65009  Idle         00:00:00  0",
    ],
    ("cisco_xr", "lldp"): ["GigabitEthernet0/0/0/0  r2        Gi0/0/0/1"],
    ("cisco_xr", "mac"): ["0200.0000.0077  BE1.7        no", "0200.0000.0079  Gi0/1/0/1.9  no"],
    ("cisco_xr", "arp"): [
        "GigabitEthernet0/0/0/0  192.0.2.1  0200.0000.0001",
        "GigabitEthernet0/0/0/0  192.0.2.2  0200.0000.0003",
    ],
    ("cisco_xr", "route"): ["198.51.100.0/24  bgp       192.0.2.2  yes"],
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    with Shelf(tmp_path_factory.mktemp("shelf") / "known_hosts") as shelf:
        yield shelf


@pytest.fixture(scope="module")
def chat(shelf: Shelf, tmp_path_factory) -> Chat:
    folder = tmp_path_factory.mktemp("chat")
    return Chat(driver(shelf.known_hosts, folder / "data"), folder / "work", ansible_password=PASSWORD)


@pytest.fixture(scope="module")
def devices(shelf: Shelf) -> dict[str, Device]:
    login = {"ansible_host": "127.0.0.1", "ansible_user": USER}
    found = {}
    for platform, (prompt, answers, error) in KINDS.items():
        port = shelf.put(Scripted("d1", prompt, {**SHELL, **answers}, error))
        found[platform] = Device("d1", variables={**login, "ansible_port": port, "platform": platform})
    return found


def question(name: str) -> Operation:
    if name == "facts":
        return playbooks.load(ROOT / "playbooks/facts.yml")
    return verbs.load(ROOT / f"playbooks/verbs/{name}.yml")


@pytest.mark.parametrize(("platform", "name"), sorted(ANSWERS))
def test_every_question_is_answered_by_a_table_with_the_same_columns(chat, devices, platform, name):
    values = {"destination": "192.0.2.2"} if name == "route" else {}
    outcome = chat.one(question(name), devices[platform], **values)
    assert outcome.status is Status.OK, outcome.summary
    header, *rows = outcome.output.splitlines()
    assert set(header.split()) <= set(getters.HEADERS[name])
    assert rows == ANSWERS[platform, name]


def test_an_ios_xr_that_tells_no_mac_addresses_is_quoted(chat, shelf, devices):
    answers = {**SHELL, "show platform": XR["show platform"]}
    prompt, _, error = KINDS["cisco_xr"]
    port = shelf.put(Scripted("d1", prompt, answers, error))
    device = replace(devices["cisco_xr"], variables={**devices["cisco_xr"].variables, "ansible_port": port})
    outcome = chat.one(question("mac"), device)
    assert outcome.status is Status.FAILED
    assert outcome.summary == "IOS XR tells no MAC addresses: % Invalid input detected at '^' marker."


def test_what_junos_does_not_know_is_told_in_its_words(chat, devices):
    outcome = chat.one(question("route"), devices["juniper_junos"], destination="198.51.100.1")
    assert outcome.status is Status.FAILED
    assert outcome.summary == "show route 198.51.100.1 gave no JSON: error: syntax error, expecting <command>: nonsense"
