"""Inventories for the tests, written out file by file."""

from pathlib import Path

from automation_bots.inventory.inventory import Inventory

TRICKY = {
    "a/01-hosts": """
        router ansible_host=192.0.2.1
        [web]
        web[1:3] from=ini-host port=80
        [web:vars]
        color=ini-web
        ports=[80, 443]
        [eu]
        web1
        db1
        [eu:vars]
        ansible_group_priority=10
        color=ini-eu
        [madrid]
        web1
        [top:children]
        middle
        [middle:children]
        bottom
        eu
        [bottom]
        db1
        [top:vars]
        level=top
        color=ini-top
        [middle:vars]
        level=middle
        [bottom:vars]
        level=bottom
    """,
    "a/02-more.yml": """
        all:
          vars: {everywhere: yaml, nested: {a: 1, b: 2}}
          children:
            web: {vars: {nested: {b: 3, c: [1, 2]}, when: 2024-01-01}}
            cluster:
              children: {web: {}, bottom: {}}
              vars: {color: yaml-cluster}
          hosts:
            web1: {nested: {d: 4}, "no": null, yes_: true, ratio: 1.5, text: "{{ untouched }} {{ playbook_dir }}"}
    """,
    "a/03-dynamic.py": """
        #!/usr/bin/env python3
        import json
        print(json.dumps({"cloud": {"hosts": ["vm1", "web2"], "vars": {"color": "cloud", "from": "script"}},
                          "_meta": {"hostvars": {"vm1": {"ansible_host": "198.51.100.7", "site": "cloud"}}}}))
    """,
    "a/group_vars/all.yml": "color: file-all\neverywhere: file\nfrom: file-all\n",
    "a/group_vars/web/one.yml": "level: dir-one\n",
    "a/group_vars/web/two.yml": "level: dir-two\nnested: {z: 26}\n",
    "a/group_vars/top": "{deep: true, level: file-top}",
    "a/group_vars/eu.json": '{"from": "json-eu"}',
    "a/host_vars/web1.yml": "port: 8080\n",
    "a/host_vars/web2/x.yaml": "port: 8081\ncolor: file-host\n",
    "b/hosts.yml": "{web: {hosts: {web3: {from: second}, web4: {}}, vars: {second: true}}, new: {children: {web: {}}}}",
    "b/group_vars/all.yml": "from: b-all\ncolor: b-all\n",
    "b/group_vars/web.yml": "everywhere: b-web\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").split("\n")
        margin = len(lines[0]) - len(lines[0].lstrip())
        path.write_text("\n".join(line[margin:] for line in lines) + "\n")
        path.chmod(0o755 if name.endswith((".py", ".sh")) else 0o644)
    return folder


def opened(tmp_path: Path, *sources: str, **options) -> Inventory:
    inventory = Inventory(tuple(tmp_path / name for name in sources or ("inv",)), tmp_path / "cache", **options)
    inventory.load()
    return inventory
