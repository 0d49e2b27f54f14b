"""Prints 1,000 harmless outputs of the field, one a record; the parts vary, what they are does not."""

SHAPES = """\
Filesystem      Size  Used Avail Use% Mounted on
/dev/sda{a}       {b}G   {c}G   {d}G  {e}% /srv/data{a}
%%
  {b}{c} root      20   0  {d}{e}00  1{b}00  9{c}0 S   0.{a}  0.{b}   0:0{a}.{c}{d} systemd-journal
%%
● app{a}.service - The application number {a}
     Loaded: loaded (/etc/systemd/system/app{a}.service; enabled; preset: enabled)
     Active: active (running) since Mon 2026-0{a}-1{a} 10:0{a}:00 UTC; {b}h ago
   Main PID: {b}{c} (app)
      Tasks: {d}
     Memory: {c}.{a}M
%%
Jan 0{a} 10:{b}:{c} web{a} sshd[{b}{c}]: Accepted publickey for ana from 10.{a}.{b}.{c} port 5{a}{b}: ED25519 SHA256:{h}
%%
Jan 0{a} 10:{b}:{c} web{a} sshd[{b}{c}]: Failed password for invalid user guest{b} from 10.{a}.{b}.{c} port 4{b}{c}
%%
Jan 0{a} 10:{b}:{c} web{a} sudo: pam_unix(sudo:auth): auth failure; logname=ana uid={b}{c} euid=0 tty=/dev/pts/{a}
%%
{{"device": "web{a}", "ok": true, "seconds": {b}.{c}, "token_type": "none", "keys": [{d}, {e}], "sha256": "{h}"}}
%%
{{"passwords_expired": {b}, "password_policy": {{"min_length": {c}, "max_age_days": {d}}}, "secret_count": {a}}}
%%
interface GigabitEthernet{a}/{b}
 description link to core{c}, password rotation every {d} days
 ip address 10.{a}.{b}.{c} 255.255.255.0
 ip ospf cost {e}
 no shutdown
%%
router bgp 65{b}{c}
 neighbor 10.{a}.{b}.{c} remote-as 650{d}
 neighbor 10.{a}.{b}.{c} description peer with key accounts {e}
 address-family ipv4 unicast
  neighbor 10.{a}.{b}.{c} send-community both
%%
ip community-list standard CL{a} permit 65{b}:{c}
route-map RM{a} permit {b}
 match community CL{a}
 set community 65{b}:{d} additive
%%
BGP neighbor is 10.{a}.{b}.{c},  remote AS 650{d}, external link
  BGP version 4, remote router ID 10.{a}.{b}.{e}
  Last read 00:00:{b}, hold time is 180, keepalive interval is 60 seconds
%%
aaa new-model
aaa authentication login default group tacacs+ local
tacacs-server timeout {b}
radius-server retransmit {a}
%%
service password-encryption
no ip http server
logging host 10.{a}.{b}.{c}
%%
snmp-server location rack {a}, row {b}
snmp-server contact noc{c}@example.com
snmp-server enable traps bgp
%%
Interface              IP-Address      OK? Method Status                Protocol
GigabitEthernet0/{a}     10.{a}.{b}.{c}   YES NVRAM  up                    up
%%
uid={b}{c}(ana) gid={b}{c}(ana) groups={b}{c}(ana),27(sudo),{d}(docker)
%%
root:x:0:0:root:/root:/bin/bash
user{a}:x:10{b}:10{c}:User {a},,,:/home/user{a}:/bin/bash
%%
ana:!:197{b}:0:99999:7:::
daemon:*:196{c}:0:99999:7:::
%%
passwd:         files systemd
group:          files systemd
shadow:         files
hosts:          files dns
%%
-rw-r----- 1 root shadow {b}{c} Jan  {a} 10:{d} /etc/shadow
-rw------- 1 ana  ana    {d}{e} Jan  {a} 10:{b} /home/ana/.ssh/id_ed25519
-rw-r--r-- 1 ana  ana    {b}{e} Jan  {a} 10:{c} /home/ana/password-rules-{c}.txt
%%
NAME   READY   STATUS    RESTARTS   AGE
app-{b}{c}   1/1     Running   {a}          {d}h
%%
NAME              TYPE                DATA   AGE
db-credentials-{a}   Opaque              {b}      {c}d
%%
tcp   LISTEN 0      {b}      127.0.0.1:{c}{d}      0.0.0.0:*    users:(("app{a}",pid={b}{e},fd={a}))
%%
commit {h}
Author: Ana <ana@example.com>
Date:   Mon Mar 2 12:{b}:{c} 2026 +0000

    Explain how the key {a} is rotated, and where a password has to be typed
%%
http://web{a}.example.com:80{b}/status?page={c}&user=ana@example.com
https://example.com/a/{b}?sort=key&token=&order={c}
%%
GET /health{a} HTTP/1.1 200 {b}{c} "-" "curl/8.{a}.0"
%%
docker.io/library/app@sha256:{h}{h}
%%
PING web{a} (10.{a}.{b}.{c}) 56(84) bytes of data.
64 bytes from web{a}: icmp_seq={a} ttl=6{a} time={b}.{c} ms
%%
packages:
  - name: libsecret-{a}-0
    version: 0.{b}.{c}
  - name: passwdqc
    version: 2.{d}
%%
ok: [web{a}] => {{"changed": false, "checksum": "{h}", "mode": "0600", "size": {b}{c}}}
%%
TASK [Make sure that the password of the database is set] *** ok: [web{a}] in {b}.{c} s
%%
PermitRootLogin no
PasswordAuthentication no
MaxAuthTries {a}
LoginGraceTime {b}
%%
The passphrase prompt timed out after {b} s; try {c} of {d}
Enter password for key {a}:
%%
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{h} ana@web{a}
%%
-----BEGIN CERTIFICATE-----
{h}{h}
-----END CERTIFICATE-----
%%
subject=CN = web{a}.example.com
notAfter=Mar  {a} 12:{b}:{c} 2027 GMT
serial={h}
%%
database_url: "{{{{ vault_database_url_{a} }}}}"
db_password: "{{{{ lookup('env', 'DB_{b}') }}}}"
%%
export PASSWORD_FILE=/run/secrets/app{a}
PWD=/home/ana/work{b}
%%
md5sum: {h}  release-{a}.{b}.tar.gz
"""


def outputs():
    """Yield 1,000 texts, each of them unlike the others."""
    shapes = SHAPES.split("%%\n")
    for number in range(1000):
        a, b = number % 9 + 1, 10 + number * 7 % 50
        digits = f"{number * 2654435761 % 16**10:010x}".replace("0", "e")
        values = {"a": a, "b": b, "c": 10 + number * 3 % 49, "d": 10 + number % 47, "e": 10 + number * 5 % 43}
        yield f"# {number}\n" + shapes[number % len(shapes)].format(**values, h=f"{digits}{digits[::-1]}{digits[:12]}")
