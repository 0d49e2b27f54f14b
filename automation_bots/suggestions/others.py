"""What people of the field type at other tools, and what asks the same here. Data.

Behind `=` stand words of a shell, a router, PowerShell, a container tool; `{x}` is one word, `|` means or. Before it
stands the command here, with those words put in; devices that were named stand behind it. The longest form counts.
"""

from __future__ import annotations

_TABLE = """
processes = ps | get-process | cpu | ps aux | ps -ef | ps -aux | ps axf | top | htop | atop | pstree | get processes
process {x} = pgrep {x} | pidof {x} | ps aux grep {x} | ps -ef grep {x}
disk = df | df -h | df -hT | du | du -sh | lsblk | fdisk -l | mount | get-volume | get-psdrive | vol
memory = free | ram | mem | free -m | free -h | vmstat | cat /proc/meminfo
interfaces = ifconfig | get-netadapter | ifconfig -a | ip a | ip addr | ip address | ip link | ip addr show | ipconfig
    | ipconfig /all
routes = ip r | ip route | ip route show | route -n | netstat -r | netstat -rn | route print | get-netroute
route {x} = ip route get {x}
arp = ip n | ip neigh | ip neighbor | ip neighbour | arp -a | arp -n | arp -an | get-netneighbor
version = uname | uname -a | lsb_release -a | cat /etc/os-release | hostnamectl | winver | ver | sw_vers
    | systeminfo
who = w | last | users | finger | query user | quser | loginctl
clock = date | timedatectl | w32tm /query /status | chronyc tracking | ntpq -p | get-date
uptime = uptime -p | show uptime | get-uptime | net statistics workstation
logs = dmesg | journalctl | journalctl -xe | journalctl -f | tail -f /var/log/syslog | tail /var/log/messages
    | cat /var/log/syslog | less /var/log/messages
logs unit={x} = journalctl -u {x} | journalctl -fu {x} | journalctl -xeu {x} | docker logs {x}
    | kubectl logs {x}
eventlog = get-eventlog | event viewer | get-eventlog system | get-winevent | get-winevent system | eventvwr
    | wevtutil qe system
dir / = ls | ls -la | ls -l | ll | dir | get-childitem
dir {x} = ls {x} | ls -la {x} | ls -l {x} | ll {x} | dir {x} | get-childitem {x}
services = systemctl | systemctl list-units | systemctl --failed | service --status-all | get-service
    | net start | sc query | rc-status | chkconfig --list
service status {x} = systemctl status {x} | service {x} status | sc query {x} | get-service {x}
    | /etc/init.d/{x} status | rc-service {x} status
service restart {x} = systemctl restart {x} | systemctl reload {x} | service {x} restart | restart-service {x}
    | /etc/init.d/{x} restart | rc-service {x} restart | docker restart {x} | bounce {x} | restart service {x}
    | kubectl rollout restart {x}
service start {x} = systemctl start {x} | service {x} start | start-service {x} | net start {x} | sc start {x}
    | start service {x}
service stop {x} = systemctl stop {x} | service {x} stop | stop-service {x} | net stop {x} | sc stop {x}
    | stop service {x}
service enable {x} = systemctl enable {x} | chkconfig {x} on | update-rc.d {x} enable
service disable {x} = systemctl disable {x} | chkconfig {x} off | update-rc.d {x} disable
reboot = shutdown -r | shutdown -r now | init 6 | restart | restart-computer | reload | request system reboot
    | restart server | reboot now | power cycle | shutdown /r | shutdown /r /t 0
patch = apt upgrade | apt-get upgrade | apt-get dist-upgrade | apt update | yum update | dnf upgrade
    | dnf update | zypper up | apk upgrade | update packages | install-windowsupdate | get-windowsupdate
    | upgrade
disk-clean = apt clean | apt-get clean | yum clean all | journalctl --vacuum-size
facts = setup | ansible -m setup | gather facts | lshw | lscpu | dmidecode | get-computerinfo | inxi
time-sync = chronyc sources | ntpq | ntpstat
ping = fping | nmap -sn | ping -c 4 | ping -t | test-connection | icmp | check alive | are you up | is up
    | alive
reach = fping -a | nmap -sn all | sweep | ping sweep
traceroute = tracepath | tracert | mtr | traceroute -n | pathping | trace
dns {x} = host {x} | nslookup {x} | dig {x} | dig +short {x} | resolve-dnsname {x} | getent hosts {x}
tcp {y} on {x} = nc -zv {x} {y} | telnet {x} {y} | nc {x} {y} | test-netconnection {x} -port {y}
    | tnc {x} -port {y}
interfaces = show ip int brief | show ip interface brief | show interface status | show interfaces status
    | show int status | show ip int br | show int desc | show interfaces terse | show interface brief
    | display ip interface brief | get system interface
routes = show ip route | show route | sh ip ro | display ip routing-table
bgp = show ip bgp summary | show bgp summary | show bgp neighbors | show bgp sum | sh ip bgp sum
    | show ip bgp sum | display bgp peer | show bgp ipv4 unicast summary
lldp = lldpctl | lldpcli show neighbors | show cdp neighbors | show lldp neighbors | sh cdp nei | show lldp nei
    | show cdp nei | display lldp neighbor brief
mac = show mac address-table | show mac-address-table | show mac add | show ethernet-switching table
    | display mac-address
arp = show arp | show ip arp | sh arp | display arp
version = show version | sh ver | show ver | display version | get system status | show system
clock = show clock | sh clock | display clock
logs = show log | show logging | sh log | display logbuffer
show running-config = show running-config | show run | sh run | show configuration
    | display current-configuration | wr term | show full-configuration | show config
backup = wr | wr mem | write | write memory | copy run start | copy running-config startup-config | save config
config = conf t | configure terminal | configure | edit | system-view | config t
config-diff = show archive config differences | show config diff | show system rollback compare | compare config
counters = crc errors | interface errors | show interface counters | show interfaces counters errors
    | show int counters | ethtool -s
who = show users | sh users | display users | show system users
processes = show processes cpu | show proc cpu | show process cpu | show cpu
memory = show memory | show proc mem | show system memory
disk = show flash | dir flash: | show disk
devices = kubectl get nodes | get nodes | get devices | list devices | list hosts | get hosts | devices list
    | inventory | ansible-inventory --list | show devices
device {x} = kubectl describe {x} | kubectl describe node {x} | describe {x} | inspect {x} | host info {x}
processes = kubectl top nodes | kubectl top | docker stats
jobs = history | list jobs | jobs list | st2 execution list | job list | my jobs | execution list
job {x} = job status {x} | st2 execution get {x} | result {x} | output {x} | show job {x}
retry {x} = rerun {x} | redo {x} | run again {x}
deny {x} = reject {x} | decline {x} | refuse {x}
cancel {x} = kill {x} | abort {x} | stop job {x} | cancel job {x}
help = commands | list commands | man | usage | list | ? | h | info
playbook run {x} = ansible-playbook {x} | playbook {x} | run playbook {x}
playbook list = list playbooks | ls playbooks | playbooks
whoami = whoami /all | who am i | id | me
pending = approvals | list approvals | waiting | what waits
help = permissions | my permissions | rights | what may i do
schedules = crontab -l | schtasks | at -l | list schedules | show schedules
freeze = maintenance | maint | downtime | silence
"""


def _rows() -> tuple[tuple[str, str], ...]:
    """(forms, command here)."""
    lines = _TABLE.strip().replace("\n    |", " |").splitlines()
    return tuple((forms.strip(), command.strip()) for command, _, forms in (line.partition(" = ") for line in lines))


OTHERS = _rows()
