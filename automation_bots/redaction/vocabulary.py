"""The words around secrets: what a secret is called, how it is said to be encrypted, what is none."""

from __future__ import annotations

import re
from functools import lru_cache

from automation_bots.redaction.mark import MARK


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a secret's name ends with, whatever stands before: `psksecret`, `wpa2-pre-shared-key`. A hyphen is any joint, or
# none; behind a dot only what begins a part of the name counts, as `pw` in `bind_pw`, not in `l2vpnpw`; behind a tilde
# what ends a word of some length, since `\nPASS` is none.
_NAMES = """
    password passwords passwd psswd pswrd psword psswrd pssword paswd paswrd pasword passwrd passphrase passphrases
    passcode pass-wd passcrypt password-again
    passwd-again passkey .pswd .pw .pws bindpw rootpw adminpw modpw userpw dbpw loginpw admpw authpw privpw
    .pwd ~pwd .pass ~pass pass-phrase password-l1 password-l2 .phash bcrypt-hash hashed-secret nt-hash lm-hash ntlm-hash
    hashed-password secret secrets-key key-hmac hmac-key secret-id .esecret .pksecret .ekey psk psk-key psk-ascii
    psk-hex preshare
    .pre-share pre-shared-key
    shared-key otp-seed totp-seed mfa-seed erlang-cookie
    preshared-key session-key server-key authentication-key auth-key authenticator-key encryption-key encrypt-key
    secret-key private-key private-key-data private-key-base64 private-key-value .priv-key .privkey privacy-key
    api-key api-key-value access-key radius-key .rad-key tacacs-key md5-key sha-key sha1-key hash-key controller-key
    wep-key wep-key0 wep-key1 wpa-key wpa2-key wpa3-key .client-key client-key-data account-key storage-key
    master-key signing-key validation-key decryption-key machine-key subscription-key function-key license-key
    deploy-key ppk-key .cak-key service-key activation-key digest-key plain-key encrypted-key wrap-key wrapping-key
    ascii-key key-material key-string .keystring key-hash sharedaccesskey shared-access-key shared-access-signature
    recovery-key .token auth-token authtok authtoken access-token api-token refresh-token bearer-token id-token
    session-token bot-token webhook-token private-token personal-token identity-token security-token deploy-token
    runner-token registration-token client-token csrf-token jwt-token oauth-token masterauth requirepass sasl-passwd
    authstring serverauthkey vault-pass webhook-secret credential-password .credential-secret simple-text-auth-key
    hello-authentication-key localized-key auth-encrypted privacy-encrypted key-octet-string secret-key-base .app-key
    psk-value integrity-key password-auth .admpw .usrpw .vrrp-auth .ha-auth
"""
# what some of them go on with: `auth-pass-phrase-hashed`, `password_base64`
_HELD = "password passwd pass-phrase passphrase secret psk pwd pass token"
_HELD_AS = "hash hashed encrypted encr enc text base64 b64 value string plaintext plain md5 sha256 clear cipher crypt"
_COMMUNITIES = """
    snmp-community snmp-community-string snmp-community-name community-string community-name rocommunity rwcommunity
    trapcommunity snmp-ro-community snmp-rw-community rocommunity6 rwcommunity6 ro-community rw-community
    trap-community get-community set-community read-community write-community readonly-community readwrite-community
    read-only-community read-write-community notify-community defcommunity snmp-rocommunity snmp-rwcommunity
    set-read-community .rcomm .wcomm
"""
_NOT_NAMES = re.compile(
    r"[\w.-]*?(?:(?<![a-z])no-?|--disabled-|public[_-]?|(?<![a-z])host[_-]?|foreign[_-]?|primary[_-]?"
    r"|(?<![a-z])sort[_-]?|disabled-|by)(?:key|pass|password|passwd)|[\w.-]*?(?:[bq]|(?<![a-z])\d)psk\d{0,2}"
    r"|[\w.-]*?(?:com|sur|tres|encom|over|under|all|high|low|band|multi|two|first|bi)pass\d{0,2}"
    r"|(?:get|set|new|reset|update)-(?:ad|local|az|aws|mg|msol)\w+"
)
_LONGEST_NAME = 80


_BORDERS = {".": r"(?<![a-z])", "~": r"(?<=[a-z]{3})"}


def _pattern(names: str, more: str = "") -> re.Pattern[str]:
    """Names as one pattern; a number may follow each."""
    shapes = (_BORDERS.get(name[0], "") + name.strip(".~").replace("-", "[_.-]?") for name in names.split())
    return re.compile(rf"[\w.:@+#$\[\]-]*?(?:{'|'.join(shapes)})(?:_?\d{{1,2}})?{more}")


_TOO_SHORT = {"p", "ha", "id"}  # would be in most lines


def _stems(names: str) -> tuple[str, ...]:
    """A few parts of names, so that every name has one of them: what a line must have before it is worth a look."""
    left = {tuple(name.strip(".~").split("-")) for name in names.split()}
    found = []
    while left:
        parts = sorted({part for name in left for part in name})
        best = max(parts, key=lambda part: (part not in _TOO_SHORT, sum(part in "-".join(name) for name in left)))
        found.append(best)
        left = {name for name in left if best not in "-".join(name)}
    return tuple(found)


_COMMUNITY_OF_SNMP = r"|[\w.-]*?snmp[\w.-]*?community(?:[._-]?(?:\d{1,3}|ro|rw|name|string|read|write))*"
_ALL_NAMES = " ".join([_NAMES, *(f"{name}-{kind}" for name in _HELD.split() for kind in _HELD_AS.split())])
_NAME, _COMMUNITY_NAME = _pattern(_ALL_NAMES), _pattern(_COMMUNITIES, _COMMUNITY_OF_SNMP)
_KEYWORDS = frozenset(name.strip(".~").replace("-", joint) for name in _ALL_NAMES.split() for joint in ("-", "_", ""))
STEMS = _stems(f"{_NAMES} {_COMMUNITIES} key community auth content")

_KIND_WORDS = _words("""
    simple plaintext plain-text plain plaintext-password plain-text-password clear cleartext clear-text
    clear-password unencrypted unencrypted-password ascii ascii-text hex hexadecimal hex-string text string phrase
    pass-phrase passphrase enc encrypt encrypted encryption cipher ciphertext cipher-text irreversible-cipher
    reversible-cipher hash hashed pbkdf2 scrypt bcrypt crypt password passwd secret key key-string psk shared-key
    shared-secret local localized localizedkey remote inbound outbound custom manager operator word value data auth
    authentication authenticator encryption-key default fallback set-key sent-username read write ro rw read-only
    read-write name create is primary secondary default-key local-key hash-key community snmp key-value mgmt-access
    netlogin keychain readwrite readonly read_only read_write config-key password-encrypt pre-shared-key cak type
    esp ah 1 2c v1 v2c v3 ssh-rsa ssh-dss ssh-ed25519 accounting authorization
""")
_KIND_SHAPE = (
    r"\d{1,2}[a-z]?|hash\d|(?:hmac-?|keyed-)?(?:md[245]|sha)(?:-?\d{1,3}){0,2}"
    r"|cmac(?:-\w+){0,3}|(?:hmac-)?aes(?:-?\w+){0,3}|3?des\d*"
)
# words that say how a secret is encrypted, between its name and itself
KIND = re.compile("|".join([_KIND_SHAPE, *map(re.escape, sorted(_KIND_WORDS, key=len, reverse=True))]))
# a kind with a word of its own behind it: `level 15`, `address 192.0.2.1`, `role admin`
WITH_ONE = _words("""
    ipaddr ipmask
    level privilege role address hostname host peer id key-id index option user username for on view group tag realm
    algorithm-type ipv6 network server neighbor client usertype mask user-name dn length class
""")
_AFTER = _words("""
    encrypted privilege role accounting ro rw operator unrestricted address hostname host timeout retransmit port
    udp-port version view group hash hash2 confirm service type user usertype realm mode context priv privacy auth
    trap traps ipv4 ipv6 access class tag acl on vrf via default get all * description secure portal enable disable
    priority source-ip source-interface oper-status localizedkey level end next exit clients client authorization
    terminal localhost pbkdf2 mschap validate snp key
    secret password permit deny std ciphertext encryptmethod as
""")
_AFTER_SHAPE = re.compile(
    r"#.*|//.*|[;!{}|&<>].*|-\S+|\d.*|level-?\d+|authenticat\w+|authoriz\w+|inform\w*|read\w*|aes\w*|des\w*"
    r"|md5|sha\w*|\w+=.*|[a-z]+[-_][a-z_-]+"
)
# words of configurations and of people that follow a secret's name and are none
NO_SECRET = _words("""
    internet no-export no-advertise local-as none additive gshut graceful-shutdown no-peer blackhole standard extended
    a about accept accepted accounting action active added address after again age aged aging all allow allowed
    already also always am an and any are as ask at attempt attempts attribute authentication authorization auth
    available bad based be been before being below between both but by can cannot case cat certificate chain change
    changed changes changing check checking code complexity config configuration configured contains control correct
    could created crypto default deleted denied derivation did directory disable disabled does done during each
    empty enable enabled encoding encryption enter entered entry error even every exchange exists expire expired
    expires expiration expiry failed failure fails fallback family features file files first for format found from
    generate
    generated generation given group had has hash have hidden history hold holder identifier if import in incorrect
    info information install installed intact into invalid invoked is issued it its keep label last legacy len
    length less level lifetime line list local lock locked lockout login logging loss management manager mapping
    match matches max maximum may method min minimum mismatch missing mode more must name named need needed needs
    never new next no node nodes none nor not null number of off ok old on once one only option optional options or
    other our out over own pair parameters passed per permission phase point policies policy print profile prompt
    provisioning
    protected protection prompts provided pub public query recovery rejected remote removal removed renewed replace
    request
    requested require required requirements requires reset restore retries retry role rolled rotated rotation rsa
    rule rules rule-based same security sent server service session set sets setting settings shall should show
    since size so some status storage store stored strength strength-check succeeded success successful supported
    support synchronization system table tacacs+ text than that the their them then there these this those timeout
    timer to too type types under unchanged unique unknown unless unset until updated usage use used user users uses
    using valid validation validity value values verification verified via wait want was we were what when where
    whether which while who will with within without would wrong x yes yet you your zeroize mypubkey chains
    encrypted-password password-encryption ring rings algorithm source pair pairs binding option keys function
    priv localizedkey protocol identity ecdsa dsa ed25519 signature trustpoint revocation-check modulus exportable
    bits permit deny
    include exclude any4 any6 aes no-encrypt md5 sha sha1 sha256 hmac-md5 external internal
""")
# words of commands that stand where in others a secret does
SYNTAX = _words("""
    version vrf trap traps inform informs udp-port priv auth noauth community key key-string text md5 sha sha1
    sha256 encrypted string type mode key-chain keychain address hostname use-vrf source-interface 1 2c v1 v2c v3
    timeout prefer iburst burst minpoll maxpoll source null message-digest ipsec none cipher simple plain hmac-md5
    aes des 3des
    localizedkey poll port udp tcp
""")
_PROSE = _words("""
    a an are be been by can cannot could did do does every for from has have if is it its may must my need not of or
    our than that the their then there they this to was we were when which while who will with would you your after
    before until or by calling using used because should please enter and but shall
""")
_ADDRESS = re.compile(
    r"\d{1,3}(?:\.\d{1,3}){3}(?:[/:]\d+)?|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:/\d+)?|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}"
)
_NUMBER = re.compile(r"[\d.,:/%+-]+(?:ms|s|m|h|d|k|mb|gb|kb|%)?")
_SYMBOLS = re.compile(r"[!@#$%^&*=+?~`\\]")
_MIXED = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d|\d[A-Za-z]")
_REFERENCE = re.compile(
    r"\{\{|\{%|!vault|\$ANSIBLE_VAULT|\$\{|\$\(|\$env:"
    r"|\$(?![A-Za-z_]*\d+[A-Za-z])[A-Za-z_]\w*$|%[A-Za-z_]+%$|[*•x.#?_-]{3,}$|<[\w -]+>?$"
    r"|0[xX]0+$|[{\[]\w+:$|" + re.escape(MARK)
)
_HARMLESS = _words("""
    null none nil true false yes no ~ n/a unset undefined - | > |- >- required optional enabled disabled files
    compat systemd sss db all on off set not never invalid hidden encrypted present absent active inactive
    configured unknown default supported enable disable y n ok empty { [ {} [] always * changed unchanged must
    expired valid <none> (none) nopass inherited local default-key no-encryption plain n/d 0 1 2 3 4 5 6 7 8 9
""") | {""}


@lru_cache(maxsize=20_000)
def names_a_secret(word: str) -> bool:
    """Whether this word (lower case) says that a secret follows."""
    return len(word) <= _LONGEST_NAME and _NAME.fullmatch(word) is not None and _NOT_NAMES.fullmatch(word) is None


def is_keyword(text: str) -> bool:
    """Whether a secret's name is one of a command, as devices print them; `MyPassword1` is somebody's secret."""
    return text in _KEYWORDS or ("-" in text and text.islower() and names_a_secret(text))


@lru_cache(maxsize=20_000)
def names_a_community(word: str) -> bool:
    """Whether this word (lower case) says that an SNMP community follows."""
    return len(word) <= _LONGEST_NAME and _COMMUNITY_NAME.fullmatch(word) is not None


def may_follow(word: str) -> bool:
    """Whether this word (lower case) often stands behind a secret, and is none of it."""
    return word in _AFTER or _AFTER_SHAPE.fullmatch(word) is not None


def is_prose(words: list[str]) -> bool:
    """Whether a line is a sentence rather than a command: it has a word that no configuration needs."""
    return not _PROSE.isdisjoint(words)


_NO_SECRET_SHAPE = re.compile(
    r"(?:min|max|minimum|maximum|lifetime|history|expir\w+|change)-[a-z-]+"
    r"|\w+[-_](?:type|mode|algorithm|method|interval|timeout|policy|length|lifetime)"
)


def is_no_secret(value: str) -> bool:
    """Whether it is a word of configurations and people that follows a secret's name and is none."""
    return value in NO_SECRET or _NO_SECRET_SHAPE.fullmatch(value) is not None


def says_nothing(value: str) -> bool:
    """Whether a value only says that there is a secret or none, or points to one."""
    return value.strip().lower() in _HARMLESS or _REFERENCE.match(value.strip()) is not None or MARK in value


def is_address(value: str) -> bool:
    """Whether it is one of IP or MAC."""
    return _ADDRESS.fullmatch(value.lower()) is not None


_SURE = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[\w!@#$%^&*?~+./=-]{8,200}")


def is_made_up(value: str) -> bool:
    """Whether it is a secret wherever it stands, once one command or assignment has said that it is one."""
    return _SURE.fullmatch(value) is not None


def looks_random(value: str) -> bool:
    """Whether no person would write this word in a sentence: letters among digits, capitals inside, odd signs."""
    if len(value) < 4 or _ADDRESS.fullmatch(value.lower()) or _NUMBER.fullmatch(value.lower()):
        return False
    return _MIXED.search(value) is not None or _SYMBOLS.search(value) is not None
