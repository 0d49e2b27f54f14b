"""The questions of the verbs on Junos, IOS XR and IOS: scripted command lines that print as the vendors' do."""

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
    "show interfaces extensive": {
        "interface-information": [
            {
                "physical-interface": [
                    element(name="ge-0/0/0", speed="1000mbps",
                            traffic_statistics=[element(input_bytes="4000", output_bytes="5000")],
                            input_error_list=[element(input_errors="3", input_drops="1")],
                            output_error_list=[element(output_errors="2", output_drops="0")],
                            logical_interface=[element(name="ge-0/0/0.0", traffic_statistics=[
                                element(input_bytes="9", output_bytes="9")])]),
                    element(name="lsi", speed="Unlimited"),
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
     1038 packets input, 102884 bytes, 4 total input drops
     0 drops for unrecognized upper-level protocol
     3 input errors, 2 CRC, 0 frame, 0 overrun, 0 ignored, 1 abort
     1040 packets output, 105242 bytes, 5 total output drops
     6 output errors, 0 underruns, 0 applique, 0 resets
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
IOS = {
    "show interfaces": """\
GigabitEthernet0/1 is up, line protocol is up (connected)
  Hardware is Gigabit Ethernet, address is 0200.0000.0001 (bia 0200.0000.0001)
  Description: to r2
  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec,
     reliability 255/255, txload 1/255, rxload 1/255
  Input queue: 0/75/12/0 (size/max/drops/flushes); Total output drops: 8
  5 minute input rate 1000 bits/sec, 1 packets/sec
     4711 packets input, 471100 bytes, 0 no buffer
     Received 11 broadcasts (11 multicasts)
     7 input errors, 7 CRC, 0 frame, 0 overrun, 0 ignored
     4712 packets output, 4294967296 bytes, 0 underruns
     1 output errors, 0 collisions, 2 interface resets
Vlan1 is administratively down, line protocol is down
  Hardware is EtherSVI, address is 0200.0000.0002 (bia 0200.0000.0002)
  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec,
     0 packets input, 0 bytes, 0 no buffer
     0 packets output, 0 bytes, 0 underruns""",
    "show interface summary": """\
  Interface                   IHQ       IQD       OHQ       OQD      RXBS      RXPS      TXBS      TXPS      TRTL
-----------------------------------------------------------------------------------------------------------------
* GigabitEthernet0/1            0        12         0         8      1000         1      2000         1         0
  Vlan1                         0         0         0         0         0         0         0         0         0""",
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
    "cisco_ios": ("d1#", IOS, "% Invalid input detected at '^' marker."),
    "cisco_xr": ("RP/0/RP0/CPU0:d1#", XR, "% Invalid input detected at '^' marker."),
}
ANSWERS = {
    ("juniper_junos", "facts"): ["mx1       Juniper  mx204  21.4R3   JN1234"],
    ("juniper_junos", "interfaces"): [
        "ge-0/0/0   yes  yes      1000mbps  02:00:00:00:00:01  to r2",
        "ge-0/0/1   no   no",
    ],
    ("juniper_junos", "counters"): [
        "ge-0/0/0   3          2           1         0          4000      5000       1000M",
        "lsi        -          -           -         -          -         -          -",
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
    ("cisco_ios", "counters"): [
        "GigabitEthernet0/1  7          1           12        8          471100    4294967296  1000M",
        "Vlan1               -          -           0         0          0         0           1000M",
    ],
    ("cisco_xr", "counters"): [
        "GigabitEthernet0/0/0/0  3          6           4         5          102884    105242     1000M",
        "GigabitEthernet0/0/0/1  -          -           -         -          -         -          1000M",
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


def test_what_nx_os_does_not_count_on_its_management_port_is_no_zero():
    class Nexus:
        def get_interfaces(self):
            return {"Ethernet1/1": {"speed": 10000.0}, "mgmt0": {"speed": -1.0}}

        def get_interfaces_counters(self):
            names = ("rx_errors", "tx_errors", "rx_discards", "tx_discards", "rx_octets", "tx_octets")
            return {"Ethernet1/1": dict(zip(names, range(6), strict=True)), "mgmt0": {**dict.fromkeys(names, 0)}}

    assert list(getters.counters_of(Nexus(), "")) == [
        ("Ethernet1/1", "0", "1", "2", "3", "4", "5", "10000M"),
        ("mgmt0", "-", "-", "-", "-", "0", "0", "-"),
    ]


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
