"""The table of known forms: `kind | platforms | form`, read by `forms.py`. A form of another device is a line more.

Names such as `password`, `psksecret` or `auth-pwd` before a value need no line: `general` finds them everywhere. Here
stands what only its place tells (`standby 1 authentication X`), and tokens that are known by their shape.
"""

from __future__ import annotations

from automation_bots.redaction.forms import Form

_ROWS = r"""
SNMP community | Cisco, Arista, Aruba, Dell, HPE | snmp-server host <word> [vrf <word> ][(trap|traps|informs|inform) ][version (1|2c|v1|v2c) ][community ][(encrypted|clear|0|2|7|8) ]<secret>
SNMP user | Cisco | snmp-server host <word> [vrf <word> ][(traps|trap|informs|inform) ]version (3|v3) [(auth|noauth|priv) ]<secret>
SNMP community | Cisco ASA | snmp-server host <word> <word> community [(0|8) ]<secret>
SNMP community | Cisco | snmp-server host <word> ...version (1|2c|v1|v2c) [(encrypted|clear|0|2|7|8|community) ]<secret>
SNMP community | Cisco NX-OS | community-map <secret>
SNMP community | any | (snmp|snmptrap|trap|trapreceiver|trapdest) ...(v1|v2c|2c|v2) <secret>$
SNMP community | Brocade | ^community <number>: <secret>
SNMP community | Linux | \['community'\]\[<number>\] = <secret>
SNMP community | APC | ^(snmp|radius) -(c|s)<number> <secret>
SNMP community | VMware, LibreNMS | (snmp set|--v2c|--v1|lnms device:add) ...(-c|--communities) <secret>
SNMP key | Linux | usmuser ...null <word> 0x<hex 20> <word> 0x<hex 20>
SNMP community | Casa | snmp comm-tbl <secret> <secret>
SNMP community | Cisco AireOS | snmp community (create|delete|accessmode|mode|ipaddr) [(ro|rw|enable|disable) ]<secret>
SNMP community | Juniper | ^[set snmp ]trap-group <secret>
SNMP community | Juniper, EdgeOS, VyOS | ^community <secret> \{
SNMP community | Juniper, EdgeOS, VyOS | ^(set|delete) [service ]snmp community <secret>
SNMP community | Nokia, F5 | ^community {"<sign 1>"}
SNMP community | Huawei | securityname <kinds><secret>
SNMP community | any | ^snmp community [(ro|rw|read|write|readonly|readwrite|create|add) ]<kinds><secret>
SNMP community | Linux | ^(rocommunity|rwcommunity|rocommunity6|rwcommunity6|trapcommunity|defcommunity|authcommunity) <secret>
SNMP community | Linux | ^(trapsink|trap2sink|informsink) <word> <secret>
SNMP community | Linux | ^com2sec[6] <word> <word> <secret>
SNMP community | MikroTik | ^[/snmp community ]set [0 ]\[ find default=yes \] ...name=<secret>
SNMP community | MikroTik | ^[/snmp community ]add addresses=<word> name=<secret>
SNMP community | MikroTik | ^add name=<secret> ...(read|write)-access=
SNMP community | HPE iLO, Cisco ACI | \<(snmp_access_comm|snmpcommunityp) (value|name)="<secret>"
SNMP community | Moxa, others | snmp[-server] (trap-host|trap-server|trap-receiver|trap-destination|traphost|notification-host) <word> <secret>
SNMP community | D-Link, Brocade | create snmp (community|group) <secret>
SNMP key | any | auth[entication][-prot][ocol] [hash ](md5|sha|sha-1|sha1|sha224|sha256|sha384|sha512|sha-224|sha-256|sha-384|sha-512|hmac-md5-96|hmac-sha1-96|hmac-sha2-256) [<number> ]<kinds><secret>
SNMP key | any | (priv|privacy|encryption)[-prot][ocol] (aes|aes128|aes192|aes256|aes-128|aes-192|aes-256|3des|des|des56|aes-cfb-128|cfb128-aes-128|cbc-des) [(128|192|256) ]<kinds><secret>
SNMP key | Cisco | snmp-server user ...priv [(aes|des|3des|aes128|aes-128) ][(128|192|256) ]<kinds><secret>
SNMP key | Huawei, HPE | (authentication|encryption|privacy)-mode (md5|sha|sha2-256|sha2-224|sha2-384|sha2-512|hmac-md5|hmac-sha256|hmac-sha1|sha256|simple|keyed-md5|sm3|des56|3des|3des168|aes128|aes192|aes256|aes) [<number> ]<kinds><secret>
SNMP key | Cisco AireOS | snmp v3user create <word> (ro|rw) <word> <word> <secret> <secret>
SNMP key | Linux | createuser ...(md5|sha|sha-1|sha-224|sha-256|sha-384|sha-512) <secret>[ (des|aes|aes128|aes192|aes256|aes-128) <secret>]
first hop redundancy | Cisco, Arista | (standby|hsrp|vrrp|glbp) [<number> ][peer ]authentication [text ]<secret>
first hop redundancy | Cisco NX-OS, FRR, Arista | ^authentication (text|string|simple) <kinds><secret>
routing | Cisco | ip (nhrp|rip|rsvp|mobile) authentication [(string|key|text|md5) ]<secret>
routing | Cisco ASA | authentication key eigrp <number> <secret>
routing | Arista, HPE, Cisco | ^[key ]authentication [key ](0|7|8a|md5|text|cipher|simple|plain|plaintext|ciphertext|clear) <kinds><secret>
routing | Cisco | ipsec spi <number> [esp ][<word> ][(128|192|256) ][(0|7) ]<hex 20>[ (md5|sha1) [(0|7) ]<hex 20>]
routing | Cisco | ipsec spi <number> (md5|sha1|sha256) [(0|7) ]<hex 20>
routing | Cisco | mpls ldp ...password option <number> for <word> <kinds><secret>
routing | Brocade | auth-type simple-text-auth <secret>
routing | Brocade | md5-authentication [key-id <number> key ]<kinds><secret>
routing | Juniper | md5 <number> key <kinds><secret>
routing | Extreme | authentication encrypted (md5|simple-password) [<number> ]<secret>
routing | Huawei | (area|domain)-authentication-mode <kinds><secret>
routing | Huawei | md5-password <kinds><word> <secret>
routing | any | message-digest-key <number> <word> <kinds><secret>
time | any | authentication-key[id] <number> [authentication-mode ](md5|sha1|sha|sha256|sha512|cmac|cmac-aes-128|aes128|hmac-sha-256) <kinds><secret>
time | Extreme | ntp key <number> <word> <kinds><secret>
time | HPE ProCurve | authentication-mode <word> key-value <secret>
time | Linux | ^<number> (md5|sha|sha1|sha256|sha512|aes128) (hex:|)<sign 6>$
key chain | Aruba, Arista | ^key <word> [fallback ](0|7|8a) [fallback ]<hex 6>
MACsec | Cisco | cak <kinds><hex 16>
IPsec | Cisco | session-key (inbound|outbound) ah <number> <secret>
IPsec | Cisco | session-key (inbound|outbound) esp <number> (cipher|authenticator) <secret>[ authenticator <secret>]
IPsec | Aruba | ^ipsec <hex 32>
IPsec | Aruba | mobility-manager <word> user <word> <secret>
IPsec | Aruba | localip <word> ipsec <secret>
IPsec | Linux | : (psk|xauth|eap|pkcs8|ntlm) <secret>
RADIUS, TACACS+ | Cisco | (server-private|pac) ...key <kinds><secret>
RADIUS, TACACS+ | HPE, Huawei | (authentication|accounting|authorization) <word> [<number> ]key <kinds><secret>
RADIUS, TACACS+ | Cisco AireOS | (radius|tacacs) (auth|acct|athr) add <number> <word> <number> [(ascii|hex) ]<secret>
RADIUS, TACACS+ | Cisco | (map-server|map-resolver) ...key <kinds><secret>
RADIUS, TACACS+ | Linux | (login|enable|pap|chap|opap|global) = (cleartext|des|crypt) <secret>
RADIUS, TACACS+ | Brocade | aaaconfig ...-s <secret>
RADIUS, TACACS+ | Cisco ASA | aaa-server <word> [\(<word>\) ]host <word> <secret>
time | Riverbed | ntp (server|peer) <word> key <number> <secret>$
RADIUS, TACACS+ | Netgear | radius server key (auth|acct) <word> [encrypted ]<secret>
account | FreeRADIUS | (cleartext|nt|lm|md5|smd5|sha|ssha|crypt|user|chap|ssha2)-password (:=|==) <secret>
account | Cisco AireOS | mgmtuser add <word> <secret> read-
account | Cisco AireOS | mgmtuser add encrypt <word> <number> <hex 20> <number> <hex 20>
account | Extreme, D-Link | create account <word> <word> <secret>
account | Xirrus | user add <word> <secret>$
account | Cisco | (manager|controller) add <word> <secret>
account | Cisco | http-proxy <word> <number> <word> <secret>
account | RANCID | ^add (password|enablepassword) <word> <secret>[ <secret>]
account | RabbitMQ | rabbitmqctl ...(add_user|change_password) <word> <secret>
account | Redis | ^AUTH [<word> ]<secret>$
account | MongoDB | .auth\(<word>, <secret>
account | any | ^(password|passwd|passphrase|secret) <secret>$
account | IBM | PASSWORD\(<secret>\)
account | Yamaha | pp auth myname <word> <secret>
account | Fujitsu, Furukawa | (ppp auth send|pppoe account) <word> <secret>
account | AT commands | cgauth=<number>,<number>,"<secret>"
IPsec | Cisco | ^group <word> key <secret>
routing | Check Point | authtype (simple|md5) [key <number> ][secret ]<secret>
account | Brocade | password-override <secret>
account | Aruba Instant | ^user <word> <secret> (portal|guest|radius|employee)$
account | Huawei | ldap-server authentication manager <word> <secret>
account | PHP | (pdo|mysqli|mysqli_connect|mysql_connect)\("<word>", "<word>", <secret>
command line | Samba | \(echo <secret>; echo <secret>\)
command line | OpenSSL | openssl passwd ...-(1|5|6|apr1) <secret>
account | V-SOL | (username <word>|user_control) enable <word> <secret>[ user_control enable <word> <secret>]
certificate | VyOS | set pki ...key <secret>
RADIUS, TACACS+ | FS, Cisco | ^server <word> key <kinds><secret>
account | any | password for <word>: <secret>
account | fetchmail | user[name] <word> [with ](pass|password) <secret>
account | XML | \<password value="<secret>"
account | Asterisk | register => <word>:<secret>@
account | Cisco AireOS | netuser add <word> <secret>
account | Netgear, Hirschmann | ^users (passwd|password) <word> [encrypted ]<secret>
account | Avaya | cli password (switch|stack) (read-only|read-write) <secret>
account | Avaya | cli password (serial|telnet|console) (local|none|radius|tacacs) [(ro|rw|rwa) ]<secret>
account | Aruba | ^mgmt-user <word> [<word> ]<hex 20>
account | Aruba Instant | ^user <word> <hex 20>
account | Aruba Instant | ^mgmt-user <word> <secret>$
account | Extreme | account ...encrypted <kinds><secret>
account | D-Link | create account encrypt[ed] <word> <secret>
account | HPE | ^add user "<word>" <secret>
account | NetScaler | (set|add) system user <word> <secret>
account | NetScaler | <hex 20> -encrypted
account | AlliedTelesis, SMC | ^username <word> privilege <number> <hex 20>
account | Fortinet | ^set <word> [<number> ]enc <secret>
account | Fortinet | ^set key enc <secret>
account | VyOS | keys id <word> key <secret>
account | Huawei | pin verify [(auto|manual) ]<secret>
IPsec | Eltex, Juniper | ^ascii-text <kinds><secret>
certificate | Cisco | ca (import|export) <word> pkcs12 [<word>: ]<secret>
WLAN | OpenWrt | ^option key <secret>
WLAN | OpenWrt | wifi-iface...key=<secret>
WLAN | Windows | hostednetwork ...key=<secret>
WLAN | Cisco | encryption [vlan <number> ][key <number> ]size <word> <kinds><hex 10>
WLAN | Linux | iwconfig <word> ...(key|enc) [s:]<secret>
device | Arista | -(cvauth|ingestauth)=(key|token|token-secure),<secret>
device | Cisco ASA | syscon address <word> <secret>
device | CMTS | cable (authstring|shared-secret) <kinds><secret>
device | Arista | unsupported-transceiver <word> <secret>
device | Juniper | license keys key <secret>
file | PPP | ^<name> \* <secret> \*$
file | PPP | ^<name> \* "<secret>"
file | PPP | ^<name> <name> <secret> \*$
file | PostgreSQL | ^<word>:(5432|5433|6432|\*):(<name>|\*):(<name>|\*):<secret>
file | Apache | ^<name>:<name>:<hex 32>$
file | LDAP, Dovecot | \{(ssha|sha|smd5|md5|crypt|plain|cleartext|ssha256|ssha512|sha256|sha512|pbkdf2|pbkdf2-sha256|pbkdf2-sha512|argon2|blf-crypt|sha256-crypt|sha512-crypt|ssha512.hex|cram-md5)\}<sign 4>
file | Postfix | \]:<number> <word>:<secret>
file | Postfix | ^<word>:(25|465|587) <word>:<secret>
file | Samba, Windows | ^<name>:<number>:{<token 32>:<hex 32>}(:::|:\[)
file | TL1 | (act-user|ed-user-secu|ent-user-secu|ed-user-pid|ent-user):[<word>]:<word>:<word>::<secret>
file | Oxidized | ^<word>:(ios|iosxr|iosxe|nxos|asa|eos|junos|procurve|comware|vrp|fortios|panos|routeros|aoscx|cisco|juniper):<word>:<secret>
file | Exim | ^hide <word> = <secret>
file | UPS tools | ^monitor <word>@<word> <number> <word> <secret> (master|slave|primary|secondary)
file | netrc | (login|user|account) <word> password <secret>
file | HAProxy | stats auth <word>:<secret>
file | Redis | user <word> (on|off) [nopass ]><sign 4>
file | Nagios | ^\$user<number>\$=<sign 4>
command line | curl, wget | (curl|http|https|wget) ...(-u|--user|-a|--auth|--proxy-user|-U) <word>:<secret>
command line | curl, wget | (curl|http|https|wget) ...(-u|--user|-a|--auth|--proxy-user|-U) ("|')<word>:<secret>
command line | any | (-u|-U|--user|--username|--login|-l) <word> ...(-p|-P|-pw|-pass|-w) <secret>
command line | FreeRADIUS | radtest <word> <secret> <word> <number> <secret>
command line | VMware | esxcli ...-p <secret>[ -c <secret>]
command line | Nagios | check_http ...-a <word>:<secret>
command line | Jenkins, ZooKeeper | (-auth|addauth digest) <word>:<secret>
command line | curl | curl.exe ...-u <word>:<secret>
command line | Synology | synouser --setpw <word> <secret>
command line | Supermicro | SMCIPMITool <word> <word> <secret>
command line | HPE | createuser -c <secret>
command line | Ceph | ceph config-key set <word> <secret>
command line | VMware | govc ...-u <word>:<secret>@
command line | Oracle | (sqlplus|expdp|impdp|sqlldr|rman) ...<name>/<secret>
command line | LDAP, IPA | (ldappasswd|ipa-client-install|ipa-server-install|kadmin) ...(-s|-w|-pw|-a) <secret>
command line | any | (setuser|certutil|ipmicfg) ...-p <secret>
command line | Squid, any | login=<word>:<secret>
command line | lftp | lftp ...-u <word>,<secret>
command line | Nagios | check_snmp ...-C <secret>
command line | BIND | nsupdate ...-y [hmac-<word>:]<word>:<secret>
command line | Linux | (kinit|vncpasswd|passwd|su|sudo|cryptsetup) ...<<< <secret>
command line | Brocade | (configupload|configdownload|firmwaredownload|supportsave) ...<word>,<word>,<word>,<secret>
command line | Samba | (-U|--user=|--user|-u) (<word>%<secret>|'<word>%<secret>'|"<word>%<secret>")
command line | LDAP | ldap(search|modify|add|delete|passwd|whoami|compare|modrdn) ...-w <secret>
command line | IPMI, SQL Server | (ipmitool|ipmipower|ipmi-sensors|sqlcmd|bcp|osql|isql|zip|unzip|mongo|tsql|mosquitto_pub|mosquitto_sub) ...-P <secret>
command line | IPMI | user set password <number> <secret>
command line | SNMP | (snmpget|snmpwalk|snmpbulkwalk|snmpbulkget|snmpset|snmptrap|snmptable|snmpgetnext|snmpinform|trapsess|snmpstatus|onesixtyone) ...-c <secret>
command line | SNMP | (snmpget|snmpwalk|snmpbulkwalk|snmpbulkget|snmpset|snmptrap|snmptable|snmpgetnext|snmpinform|trapsess) ...-A <secret>
command line | SNMP | (snmpget|snmpwalk|snmpbulkwalk|snmpbulkget|snmpset|snmptrap|snmptable|snmpgetnext|snmpinform|trapsess) ...-X <secret>
command line | Docker, cloud | (docker|podman|helm|skopeo|buildah|az|oc|cf|nerdctl|registry) ...login ...-p <secret>
command line | any | (psexec|psexec64|PsExec|paexec|rdesktop|sshpass|mongo|mongosh|mongodump|cqlsh|usermod|useradd|racadm|winexe|evil-winrm|7z|7za|unrar) ...-p <secret>
command line | MySQL | (mysql|mysqladmin|mysqldump|mariadb|mysqlimport|mariadb-dump|mariadb-admin) ...-p<sign 3>
command line | sshpass | sshpass -p<sign 3>
command line | 7-Zip | (7z|7za|7zz|rar|unrar) ...-p<sign 3>
command line | MySQL | (mysqladmin|mariadb-admin) ...password <secret>
command line | Redis | redis-cli ...-a <secret>
command line | Apache | htpasswd -<word> <word> <word> <secret>
command line | Linux | (echo|printf) [-n ](<word>|"<word>|'<word>):<secret> \| [sudo ](chpasswd|pw)
command line | Linux | (echo|printf) [-n ]<secret> \| [sudo ][/usr][/local][/bin/](passwd|kinit|sudo|docker|realm|smbpasswd|cryptsetup|gpg|su|podman|helm|oc)
command line | OpenSSL | openssl ...-k <secret>
command line | OpenSSL | pass:<secret>
Windows | any | winrs ...-p:<secret>
Windows | any | /(pass|password|pwd|rp|pp|passwd|userpassword|passwordd|passwordo|pd|po):<secret>
Windows | any | /u:<word> /p:<secret>
Windows | schtasks | /(rp|pp|ru|password) <secret>
Windows | net | net user <word> <secret>
Windows | net | net use ...\\\\<word> [/user:<word> ]<secret>
Windows | rasdial | rasdial <word> <word> <secret>
Windows | any | (dsadd|dsmod|netdom|plink|pscp|psftp|psexec|manage-bde|klink) ...(-pwd|-pw|/pwd|/pd|/po|-rp|/ud) <secret>
Windows | registry | reg add .../v (defaultpassword|password|proxypassword|autoadminpassword) /t <word> /d <secret>
Windows | registry | (defaultpassword|password) reg_sz <secret>
Windows | registry | "password"=hex:<secret>
Windows | BitLocker | {<digits 6>-<digits 6>-<digits 6>-<digits 6>-<digits 6>-<digits 6>-<digits 6>-<digits 6>}
Windows | PowerShell | convertto-securestring [-asplaintext ][-string ][-force ]<secret>
Windows | PowerShell | pscredential[ ]\(<word>,<secret>
Windows | PowerShell | pscredential <word>,<secret>
SQL | any | identified [with <word> ](by|as) [password ]<secret>
SQL | PostgreSQL | (alter|create) (user|role) <word> ...password <secret>
SQL | MySQL | password\('<secret>'
SQL | MySQL | set password for <word> = <secret>
HTTP | any | [set-]cookie: <word>=<secret>
HTTP | any | proxy-authorization: <word> <secret>
HTTP | any | authorization[:] ["](basic|bearer|token|negotiate|digest|apikey|splunk) <secret>
HTTP | any | authorization": "<base64 20>
HTTP | any | --oauth2-bearer <secret>
HTTP | curl | curlopt_[proxy][x](userpwd|password|oauth2_bearer|pass|keypasswd), <secret>
HTTP | any | bearer <base64 20>
HTTP | any | (?|&)(key|sig|signature|access_key|code|apikey|auth)=<url 6>
"""

_TOKENS = r"""
token | AWS | {(AKIA|ASIA|ABIA|ACCA)<upper 16>}
token | AWS | {(ABSK|bedrock-api-key-)<base64 30>}
token | AWS | {A3T<upper 17>}
token | AWS | {amzn.mws.<token 30>}
token | GitHub | {(ghp_|gho_|ghu_|ghs_|ghr_|github_pat_)<token 20>}
token | GitLab | {(glpat-|gldt-|glft-|glsoat-|glrt-|glcbt-|glimt-|glptt-|glagent-|gloas-|glffct-|glwt-|glrtr-|GR1348941)<token 16>}
token | Slack | {(xoxa-|xoxb-|xoxe-|xoxe.xox|xoxp-|xoxo-|xoxr-|xoxs-|xoxc-|xoxd-|xapp-)<url 10>}
token | Slack | hooks.slack.com/(services|workflows|triggers)/<url 12>
token | Discord | /api/webhooks/<number>/<token 12>
token | Teams | webhook.office.com/<url 12>
token | Google | {AIza<token 30>}
token | Google | {(GOCSPX-|ya29.|1//0)<token 10>}
token | Azure | Q~<base64 24>
token | Stripe | {(sk|rk|pk)_(live|test|prod)_<letters 10>}
token | Stripe | {whsec_<letters 16>}
token | OpenAI, Anthropic | {(sk-proj-|sk-svcacct-|sk-admin-|sk-ant-|sk-or-|sk-lf-)<token 12>}
token | OpenAI | {sk-<letters 32>}
token | npm, PyPI, RubyGems | {(npm_|pypi-|rubygems_|oy2|CLOJARS_)<token 24>}
token | Rancher | {(token-|kubeconfig-u-|kubeconfig-user-)<letters 5>:<letters 40>}
token | Consul | "encrypt": "<base64 20>
token | Consul | encrypt = "<base64 20>
token | Vault | {(hvs.|hvb.|hvr.)<token 16>}
token | Vault | {s.<letters 20>}
token | SendGrid | {SG.<token 16>.<token 16>}
token | Twilio | {SK<hex 32>}
token | Mailgun, Mailchimp | {key-<hex 32>}
token | Mailchimp | {<hex 32>-us<digits 1>}
token | DigitalOcean | {(dop_v1_|doo_v1_|dor_v1_)<hex 32>}
token | Docker | {(dckr_pat_|dckr_oat_|SWMKEY-1-|SWMTKN-1-)<token 16>}
token | Telegram | {<digits 8>:AA<token 20>}
token | Terraform | {<letters 12>.atlasv1.<token 20>}
token | Grafana | {(glsa_|glc_|eyJrIjoi)<base64 20>}
token | New Relic | {<hex 30>NRAL}
token | New Relic | {(NRAK-|NRII-|NRIQ-|NRRA-|NRBR-|NRJS-)<token 16>}
token | Shopify | {(shpat_|shpca_|shppa_|shpss_)<hex 20>}
token | age | {AGE-SECRET-KEY-1<upper 20>}
token | Hugging Face | {(hf_|api_org_)<letters 20>}
token | Doppler | {(dp.pt.|dp.st.|dp.ct.|dp.sa.|dp.scim.|dp.audit.)<base64 20>}
token | Linear, Notion, Figma | {(lin_api_|lin_oauth_|ntn_|secret_|figd_)<token 24>}
token | Databricks | {dapi<hex 32>}
token | Airtable | {pat<letters 14>.<hex 40>}
token | Cloudflare | {v1.0-<hex 24>-<hex 60>}
token | Cloudflare, Vercel | {(cfat_|cfk_|cfut_|vcp_|vci_|vca_|vcr_|vck_)<letters 24>}
token | Dropbox | {sl.<token 60>}
token | Harness | {pat.<token 20>.<letters 20>.<letters 16>}
token | PayPal | {access_token\$production\$<letters 8>\$<hex 16>}
token | Plaid | {access-(sandbox|development|production)-<hex 8>-<token 20>}
token | Salesforce | {00D<letters 12>!<sign 40>}
token | X | {AAAAAAAAAAAAAAAAAAAAA<url 40>}
token | Windows | {TlRMTVNTUA<base64 40>}
token | NATS | {(SUA|SAA|SNA|SOA|SCA)<upper 53>}
token | GitLab | _gitlab_session=<sign 16>
token | SonarQube | {(squ_|sqp_|sqa_|cosmo_)<hex 32>}
token | Akamai | {(akab-|akaa-)<token 20>}
token | 42 | {(s-s4t2ud-|s-s4t2af-)<hex 32>}
token | Flutterwave | {FLWSECK_TEST-<token 12>}
token | MaxMind | {<letters 6>_<letters 29>_mmk}
token | Instagram | {(IGQV|IGAA)<token 60>}
token | Netlify, Fly, Heroku | {(nfp_|nfo_|nfc_|fo1_|fm1r_|fm2_|HRKU-)<token 20>}
token | Square | {(sq0atp-|sq0csp-|EAAA)<token 20>}
token | Alibaba, Tencent | {(LTAI|AKID)<letters 12>}
token | Facebook | {(EAAC|EAAM)<letters 60>}
token | Atlassian | {(ATATT3|ATCTT3|ATBB|BBDC-)<base64 20>}
token | Artifactory | {(AKC|cmVmd)<letters 40>}
token | 1Password | {ops_eyJ<base64 40>}
token | 1Password | {A3-<upper 6>-<upper 5>-<upper 5>}
token | Sentry | {(sntrys_|sntryu_)<base64 32>}
token | Sentry | ://<hex 32>@
token | Postman, Prefect, Pulumi | {(PMAK-|PMAT-|pnu_|pul-|pscale_tkn_|pscale_pw_|pscale_oauth_)<token 20>}
token | Dynatrace | {(dt0c01.|dt0s16.)<base64 24>}
token | OpenShift | {sha256~<token 40>}
token | Tailscale | {tskey-<token 20>}
token | Supabase, PlanetScale, others | {(sbp_|lsv2_pt_|lsv2_sk_|nvapi-|gsk_|xai-|pplx-|rdme_|r8_|phx_|phc_|tfp_|rootly_|shltm_|apify_api_|CFPAT-|xkeysib-|duffel_live_|EZAK|EZTK|FLWSECK-|PSK_|dnkey-|duffel_test_|fio-u-|ico-|tk-us-|sm_aat_|sm_pat_|sm_sat_|shippo_live_|shippo_test_|sgp_|slk_|llx-|pha_|phr_|phs_|tvly-|tgp_v1_)<token 16>}
token | Octopus | {API-<upper 26>}
token | JWT | {eyJ<token 8>.<token 8>[.<token 0>]}
token | Jenkins | \{{AQAAABAAAA<base64 10>}
hash | crypt, Cisco, Juniper | {\$(1|5|6|7|8|2|2a|2b|2x|2y|y|gy|apr1|nt|md5|sha1|sha256|sha512|argon2|argon2i|argon2d|argon2id|scrypt|pbkdf2|pbkdf2-sha1|pbkdf2-sha256|pbkdf2-sha512|bcrypt|bcrypt-sha256|4|3|1a|1c)\$<hash 8>}
hash | Juniper, Cisco | {\$9\$<hash 4>}
hash | PostgreSQL | "md5<hex 32>
hash | HPE | {\$(c|h)\$<digits 1>\$<base64 4>}
hash | F5 | {\$M\$<sign 4>}
hash | Brocade | {\$Si<sign 4>}
hash | Huawei | %\^%#<secret>%\^%#
hash | Huawei | %\$%\$<secret>%\$%\$
hash | Huawei | {@%@%<sign 8>}
hash | PAN-OS | {-AQ==<base64 8>}
hash | Aruba | {AQBap<base64 8>}
hash | GRUB | {grub.pbkdf2.<base64 20>}
"""


def read(rows: str) -> tuple[Form, ...]:
    """Read rows of the table."""
    return tuple(Form(*(cell.strip() for cell in row.split(" | ", 2))) for row in rows.strip().split("\n"))


TABLE = read(_ROWS) + read(_TOKENS)


def documented() -> str:
    """Return the table as docs/security.md shows it."""
    rows = (f"| {form.kind} | {form.platforms} | {cell(form.form)} | {cell(form.example)} |" for form in TABLE)
    return "\n".join(["| kind | platforms | form | example |", "|---|---|---|---|", *rows])


def cell(text: str) -> str:
    """Return a form as a cell of a table."""
    return f"`{text}`".replace("|", "\\|")
