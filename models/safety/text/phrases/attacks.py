"""What code looks like that attacks the interpreter that runs it, or its host, and how sure that is.

The patterns are RE2's, for code as `models.safety.text.attack_code.flattened` makes it: small letters, no spaces around
punctuation, `"` for every quote, and string literals joined that were taken apart. `{lines}` is anything within the
next six lines, and `{name}` one of PARTS.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attack:
    kind: str
    """In a word or two, as an explanation names it."""
    score: float
    """0.6 to 0.98: how sure it is that code like that is an attack."""
    patterns: tuple[str, ...]
    taught: bool = False
    """Lessons and questions name it in a sentence, where it does no harm."""


PARTS: Mapping[str, str] = {
    "address": r"(?:[a-z0-9][\w.\-]*|\$\w+)",
    "shell": r"(?:/usr|/bin|/usr/bin)?/?(?:ba|z|k|da|a)?sh",
    "internal": r"(?:10\.\d{1,3}\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.)",
    "credentials": r"(?:/etc/(?:shadow|gshadow|passwd|ssh)|/root/|/proc/(?:self|1|\d+)/environ|\S*\.ssh/|\S*\.aws/|\S*id_(?:rsa|ed25519|ecdsa)\b|\S*\.kube/config|\S*\.netrc|\S*\.git-credentials|\S*\.env\b)",
    "send": r"(?:requests\.(?:post|put|get|request)|httpx\.(?:post|put|get|request)|urllib\.request\.(?:urlopen|request)|urlopen|aiohttp\S*|\.send(?:all|to)?|fetch|axios\.post|smtp\S*|ftp\S*)",
    "fetch": r"(?:curl|wget|fetch|requests?\.\w+|httpx\.\w+|urlopen|urllib\.request\.\w+|http\.client\.\w+|axios\.\w+|invoke-webrequest|invoke-restmethod|open|get|connect)",
    "run": r"(?:os\.(?:system|popen|exec\w*)|subprocess\.\w+|popen|system|exec|eval|shell_exec|passthru|child_process\.\w+|execsync|spawn|runtime\.getruntime\(\)\.exec)",
}

ATTACKS = (
    Attack(
        "fork bomb",
        0.98,
        (
            r":\(\)\{:\|:&\};:",
            r"\b[a-z_]\w*\(\)\{\s?[a-z_]\w*\|[a-z_]\w*&\s?\};?\s?[a-z_]",
            r"while(?: |\()?\(?(?:true|1)\)?:?\{?\s?(?:os\.)?fork\(\)",
            r"for\(;;\)\{?\s?fork\(\)",
            r"for \w+ in (?:range\(\d{4,}\)|range\(10\*\*\d+\)|itertools\.count\(\)|iter\(int,1\)):\s?os\.fork\(\)",
            r"while (?:true|1):\s?(?:\w+=)?(?:subprocess\.)?popen\(\[?(?:sys\.executable|\"python3?\"),(?:__file__|sys\.argv\[0\])",
            r"while (?:true|1):\s?(?:\w+\.)?process\([^\n]*\)\.start\(\)",
            r"%0\|%0",
            r"fork while fork|fork until !fork|loop\{fork|fork while 1",
            r"while (?:true|1|:);do ?\$0&|\$0&\s?\$0&",
            r"def (\w+)\(\):\s?while true:\s?(?:\w+\.)?(?:thread|process)\(target=",
        ),
        taught=True,
    ),
    Attack(
        "reverse shell",
        0.98,
        (
            r"/dev/(?:tcp|udp)/{address}/\d+",
            r"\bn(?:et)?c(?:at)?(?: -\w+)* [^\n]*-(?:e|c) ?\"?{shell}\b",
            r"mkfifo[^\n]*\|[^\n]*\bn(?:et)?c(?:at)? ",
            r"dup2\(\w+(?:\.fileno\(\))?,[012]\){lines}(?:{shell}|pty\.spawn|execve|popen)",
            r"socket\.socket\({lines}connect\(\({lines}(?:subprocess\.\w+|os\.popen|os\.system|pty\.spawn)\({lines}(?:recv|send|\.decode)",
            r"socket\.socket\({lines}connect\(\({lines}(?:pty\.spawn|\.recv\({lines}(?:subprocess\.\w+|os\.popen|os\.system|exec|eval)\()",
            r"{run}\([^\n]*\.recv\(",
            r"fsockopen\([^\n]*(?:exec|proc_open|shell_exec|passthru)",
            r"(?:tcpclient|tcpsocket\.(?:open|new))\([^\n]*(?:iex|invoke-expression|exec|getstream|popen)",
            r"socat [^\n]*exec:\"?{shell}",
            r"use socket;[^\n]*(?:exec|/bin/sh)",
            r"net\.(?:socket|connect|createconnection)\([^\n]*{lines}(?:child_process|spawn\(\"/?(?:bin/)?(?:ba)?sh)",
            r"(?:ba)?sh -i ?(?:>&|<>|<&|\d?>)",
            r"msfvenom -p|meterpreter/reverse_tcp",
        ),
    ),
    Attack(
        "walk out of the interpreter's objects",
        0.95,
        (
            r"(?:__(?:base|bases|mro)__(?:\[-?\d+\])?|\bobject|\bmro\(\)(?:\[-?\d+\])?|\[-?\d+\]|\(\))\.__subclasses__\(",
            r"(?:getattr\([^\n]*|\[)\"__subclasses__\"",
            r"__class__[^\n]{0,20}__(?:bases?|mro)__",
            r"__(?:init|func|self)__[^\n]{0,20}__globals__",
            r"__globals__\[\"(?:__builtins__|os|sys|__import__)",
            r"__builtins__(?:\.__dict__)?\[\"?(?:__import__|eval|exec|open)",
            r"(?:gi_frame|cr_frame|tb_frame|ag_frame|f_back)\.f_(?:back|builtins|globals)[^\n]*f_(?:back|builtins|globals)",
            r"\.constructor\.constructor\(|\[\"constructor\"\]\[\"constructor\"\]\(",
            r"process\.binding\(\"(?:spawn_sync|process_wrap|fs)",
            r"getattr\(__builtins__,",
            r"object\.__reduce(?:_ex)?__[^\n]*os\.system|__reduce__{lines}os\.(?:system|popen)",
        ),
        taught=True,
    ),
    Attack(
        "process and kernel",
        0.93,
        (
            r"/proc/(?:self|1|\"?\+?str\(\w+\)\+?\"?)/(?:mem|root|environ)\b",
            r"open\(f?\"/proc/(?:self|1|\d+|\{\w+\})/(?:mem|environ|maps|root|cwd|cgroup)",
            r"/proc/sysrq-trigger|/proc/sys/kernel/core_pattern|/proc/sys/vm/\w+\"?,\"w",
            r"ptrace_(?:attach|poketext|pokedata|seize)|\bptrace\((?:16|4|5),",
            r"(?:libc|cdll[^\n]*)\.(?:ptrace|mprotect|unshare|setns|pivot_root|init_module|finit_module|kexec_load)\(",
            r"(?:libc|cdll[^\n]*)\.mount\(|(?:libc|cdll[^\n]*)\.syscall\(",
            r"\bnsenter (?:[^\n]*)(?:-t ?1\b|--target[ =]?1\b)",
            r"release_agent",
            r"(?:chroot|nsenter) /?(?:host|hostfs|rootfs|proc/1/root)\b",
            r"unshare (?:-\w*r\w*|--map-root-user)[^\n]*(?:mount|chroot|{shell})",
            r"kill\((?:os\.getppid\(\)|-1|1),|kill -9 -1\b|kill -9 1\b|killall5",
            r"ctypes\.(?:string_at|memset|memmove)\((?:0|none|1)\b|_sigsegv\(|ctypes\.cast\(0,",
            r"/dev/mem\b[^\n]*(?:open|mmap|dd)|(?:open\(\"|dd [^\n]*if=)/dev/(?:mem|kmem|port)",
            r"insmod [^\n]*\.ko|modprobe [^\n]*rootkit",
        ),
        taught=True,
    ),
    Attack(
        "container escape",
        0.95,
        (
            r"docker run[^\n]* -v ?/:/",
            r"docker run[^\n]*--privileged[^\n]*--pid[ =]?host|docker run[^\n]*--pid[ =]?host[^\n]*--privileged",
            r"--unix-socket ?/(?:var/)?run/(?:docker|containerd)[\w/]*\.sock",
            r"(?:connect\(\"|http\+unix://|unix://)\S*docker\.sock",
            r"docker -h ?unix://\S*docker\.sock[^\n]*run",
            r"mount (?:-\w+ \w+ )?/dev/(?:sd|vd|nvme|xvd)\w+ \S+[^\n]*(?:&&|;|\n)\s?(?:chroot|cat|ls) \S*(?:/etc/shadow|host)?",
            r"/var/run/secrets/kubernetes\.io/serviceaccount/token",
            r"runc[^\n]*/proc/self/exe",
        ),
    ),
    Attack(
        "cloud metadata",
        0.95,
        (
            r"{fetch}[^\n]*(?:169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|100\.100\.100\.200|fd00:ec2::254)",
            r"https?://(?:169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|100\.100\.100\.200|2852039166|0xa9fea9fe|\[fd00:ec2::254\])/(?:latest|metadata|computemetadata|opc|v\d|openstack|hetzner)",
        ),
        taught=True,
    ),
    Attack(
        "reading credentials",
        0.93,
        (
            r"(?:cat|less|more|head|tail|tac|strings|base64|xxd|cp|grep \S+|sudo cat) /etc/(?:shadow|gshadow)\b",
            r"(?:open|read\w*|path|file_get_contents|readfile(?:sync)?|fs\.\w+|slurp)\(f?\"/etc/(?:shadow|gshadow|sudoers)",
            r"(?:\.\./){3,}(?:etc/(?:passwd|shadow|hosts)|proc/|root/)",
            r"(?:open|read\w*|file_get_contents|path|readfile(?:sync)?|linecache\.getlines?|np\.loadtxt|pd\.read_\w+)\(\"/etc/passwd\"",
            r"(?:cat|less|head|tail|base64|strings|xxd|tar \S+ \S+|zip \S+ \S+) [^\n]*\.ssh/id_(?:rsa|ed25519|ecdsa|dsa)(?:[^\w.]|\n|$)",
            r"(?:open|read\w*|path|expanduser|glob(?:\.glob)?|file_get_contents|copy\w*)\([^\n]*\.ssh/(?:id_(?:rsa|ed25519|ecdsa|dsa)\"|\*|id_\*)",
            r"(?:cat|open\(\"?|head|base64|expanduser\(\"|read\w*\() ?[^\n]*\.aws/credentials",
            r"(?:cat|head|base64) [^\n]*(?:\.git-credentials|\.netrc|\.bash_history|\.docker/config\.json)[^\n]*\|",
            r"for \w+ in ?[^\n]*(?:\.ssh|\.aws|\.kube|\.gnupg)[^\n]*:{lines}(?:open|read)",
            r"(?:chrome|firefox|brave|edge)[^\n]*(?:login data|cookies\.sqlite|key4\.db)|wallet\.dat\b",
            r"mimikatz|sekurlsa::|lsass\.(?:exe|dmp)|procdump[^\n]*lsass|hashdump",
        ),
        taught=True,
    ),
    Attack(
        "sending secrets out",
        0.96,
        (
            r"{send}\([^\n]*(?:dict\(os\.environ\)|os\.environ(?:\.copy\(\)|\.items\(\))?[)},\]]|str\(os\.environ|process\.env[)},])",
            r"(?:dict\(os\.environ\)|os\.environ\.(?:copy|items)\(\)|json\.dumps\(dict\(os\.environ|json\.stringify\(process\.env\)){lines}{send}\(",
            r"\b(?:env|printenv|set)\|[^\n]*\b(?:curl|wget|nc|ncat|openssl s_client) ",
            r"(?:curl|wget)[^\n]*(?:\$\((?:env|printenv|cat [^\n]*|id|whoami|hostname|uname -a)(?:\|base64[^\n)]*)?\)|`(?:env|cat [^\n]*|id|whoami)`)",
            r"(?:curl|wget)[^\n]*(?:-d|--data(?:-binary)?|-f|-t|--upload-file|--post-file)[ =]?\"?(?:\w+=)?@?{credentials}",
            r"{send}\([^\n]*open\(\"?{credentials}",
            r"open\(\"{credentials}[^\n]*{lines}{send}\(",
            r"\b(?:cat|tar|base64)[^\n|]* {credentials}[^\n]*\|[^\n]*(?:curl|nc|ncat|wget|openssl s_client)\b",
            r"(?:nslookup|dig|host|ping(?: -\w+ \d+)?|getent hosts) \"?\$\([^\n]*(?:whoami|hostname|cat|base64|env)",
            r"(?:gethostbyname|getaddrinfo|resolve|resolver\.query)\([^\n]*(?:b64|hex|encode|secret|data|chunk)[^\n]*\.(?:attacker|evil|[a-z0-9\-]+)\.(?:com|net|io|xyz|org)",
            r"(?:webhook\.site|requestbin|oastify\.com|burpcollaborator|interact\.sh|pipedream\.net)[^\n]*{lines}(?:environ|passwd|shadow|getenv|whoami|secret|token|id_rsa)",
            r"(?:environ|/etc/passwd|shadow|id_rsa|whoami)[^\n]*{lines}(?:webhook\.site|requestbin|oastify\.com|burpcollaborator|interact\.sh|pipedream\.net)",
        ),
    ),
    Attack(
        "wiping disks",
        0.97,
        (
            r"\brm (?:-{1,2}[\w\-]+ )*-\w*[rf]\w* (?:-{1,2}[\w\-]+ )*\"?(?:/|/\*|~|~/|~/\*|\$home|\"\$home\"|/(?:etc|usr|bin|sbin|boot|lib|lib64|home|root|var|opt|dev|sys|proc)/?\*?)\"?(?:[\s;&|,)?]|\"|$)",
            r"\brm [^\n]*--no-preserve-root|\"--no-preserve-root\"",
            r"\"rm\",\"-r?f?r?f?\",\"(?:--no-preserve-root\",\")?(?:/|/\*|/home|/etc|/usr)\"",
            r"\bdd [^\n]*if=/dev/(?:zero|u?random)[^\n]*of=/dev/(?:sd[a-z]|nvme\d|vd[a-z]|xvd[a-z]|hd[a-z]|disk\d|mmcblk\d)",
            r"\bdd [^\n]*of=/dev/(?:sda|nvme0n1|vda|xvda|hda|disk0)\b[^\n]*if=/dev/(?:zero|u?random)|\bdd of=/dev/(?:sda|vda|nvme0n1)",
            r">/dev/(?:sd[a-z]|nvme\d|vda|xvda|hda)\b|open\(\"/dev/(?:sd[a-z]|nvme\d\w*|vd[a-z]|xvd[a-z])\",\"(?:w|r\+|a)",
            r"\b(?:mkfs(?:\.\w+)?|wipefs|shred|blkdiscard|sgdisk --zap-all) (?:-{1,2}[\w=\-]+ (?:\d+ )?)*/dev/(?:sda|nvme0n1|vda|xvda|hda)\b",
            r"(?:shutil\.)?rmtree\(\"?(?:/|~|/home|/etc|/usr|/var|/root|c:\\{1,2}|/\*)\"?[,)]|rmtree\((?:path\.home\(\)|os\.path\.expanduser\(\"~\"\)|os\.sep|path\(\"/\"\))",
            r"os\.walk\(\"/(?:home|etc|usr)?\"[^\n]*{lines}(?:os\.(?:remove|unlink)|rmtree|\.write\()",
            r"\bfind /(?:home|etc|usr|var)? (?:[^\n]* )?(?:-delete|-exec (?:rm|shred))",
            r"\b(?:format c:|rd /s /q c:\\|rmdir /s /q c:\\|del (?:/\w )+c:\\|remove-item [^\n]*c:\\\*? [^\n]*-recurse|remove-item -recurse[^\n]* c:\\)",
            r"\b(?:chmod -r (?:000|777|0) /|chown -r \S+ /)(?:[\s;&|\"]|$)|\bmv /\*? /dev/null",
            r"rm -rf[^\n]*\$\{?\w*\}?/\*?[^\n]*--no-preserve|fs\.rmsync\(\"/\"|rimraf\(\"/\"",
            r"drop database [^\n]*;[^\n]*drop database|truncate -s ?0 /dev/sd",
        ),
        taught=True,
    ),
    Attack(
        "using everything up",
        0.9,
        (
            r"\"[^\"]{0,3}\"\*(?:10\*\*(?:9|[1-9]\d)|\d{11,}|1024\*\*[4-9]|\(?10\*\*(?:9|[1-9]\d))",
            r"(?:bytearray|bytes)\((?:10\*\*(?:1[0-9]|[2-9]\d)|\d{11,}|1024\*\*[4-9]|2\*\*(?:3[4-9]|[4-9]\d))",
            r"\[(?:0|none|1)\]\*\(?(?:10\*\*(?:9|[1-9]\d)|\d{11,}|2\*\*(?:3[4-9]|[4-9]\d))",
            r"\b(?:9|10|99)\*\*\(?(?:9|10|99)\*\*\(?(?:9|10|99)",
            r"while (?:true|1):\s?(?:\w+\.(?:append|extend|write)\(|\w+\+=|\w+=\w+\+)[^\n]{0,20}(?:\"[^\"]*\"|\"x\"|\[[^\]]*\]|bytearray|bytes|os\.urandom|\w)[^\n]{0,12}\*?\(?(?:10\*\*[6-9]|\d{7,}|1024\*1024|2\*\*(?:2\d|3\d)|1<<(?:2\d|3\d))",
            r"while (?:true|1):\s?(?:threading\.)?thread\(target=[^\n]*\.start\(\)",
            r"while (?:true|1):\s?(?:\w+\.append\()?(?:open\(|socket\.socket\(|os\.pipe\(|tempfile\.)",
            r"while (?:true|1):\s?with open\([^\n]*\"[wa]b?\"",
            r"setrlimit\([^\n]*(?:rlim_infinity|-1,-1)",
            r"\bulimit -(?:u|v|t|n|a|m) ?unlimited",
            r"fallocate -l ?(?:\d{3,}g|\d+t)|dd if=/dev/(?:zero|urandom) of=/(?:tmp|var|home)?/?[\w./]*(?:fill|full|bigfile|junk)[\w.]*",
            r"cat /dev/(?:zero|urandom)>|yes>/dev/null&|:>/dev/full",
            r"stress(?:-ng)? --(?:cpu|vm|io|hdd|fork)[ =](?:0|\d{2,})|--vm-bytes[ =](?:\d{2,}g|9\d%|100%)",
            r"setrecursionlimit\((?:10\*\*(?:9|1\d)|\d{10,}|sys\.maxsize)",
            r"signal\.signal\(signal\.(?:sigterm|sigxcpu|sigalrm)[^\n]*sig_ign[^\n]*{lines}while (?:true|1)",
            r"42\.zip|zip ?bomb\.(?:zip|py)|while (?:true|1):\s?os\.(?:mkdir|makedirs|symlink)\(",
            r"multiprocessing\.pool\((?:\d{4,}|10\*\*\d)|threadpoolexecutor\((?:max_workers=)?(?:\d{5,}|10\*\*[5-9])",
        ),
    ),
    Attack(
        "crypto miner",
        0.96,
        (
            r"\bxmrig\b|\bminerd\b|\bcpuminer\b|stratum\+(?:tcp|ssl)://|coinhive|\bnbminer\b|\bt-rex\b[^\n]*-o |ethminer|--donate-level|cryptonight|randomx[^\n]*(?:pool|mine)",
            r"(?:pool\.(?:minexmr|supportxmr|hashvault|nanopool)\.\w+|nicehash\.com|minexmr\.com|supportxmr\.com|2miners\.com)",
        ),
    ),
    Attack(
        "more privileges",
        0.94,
        (
            r"chmod (?:u\+s|\+s|[2467]7[57]5|[24]755|4[75]11) \S*(?:bash|/sh|python3?|find|vim|cp|nmap)\b|chmod 4[0-7]{3} ",
            r"os\.(?:setuid|setreuid|setresuid|seteuid)\(0",
            r"(?:linpeas|linenum\.sh|winpeas|linux-exploit-suggester|pspy(?:64)?)\b",
            r"\b(?:pwnkit|dirty ?cow|dirtypipe|dirty ?pipe|overlayfs|looney ?tunables|cve-20\d\d-\d{4,})\b[^\n]*(?:exploit|\./|gcc|\.c\b|\.py\b|run)",
            r"find / [^\n]*-perm (?:-(?:u=s|4000|6000)|/4000)",
            r">>? ?/etc/(?:passwd|shadow|sudoers(?:\.d/\S+)?)\b|open\(\"/etc/(?:passwd|shadow|sudoers[^\"]*)\",\"[aw]",
            r"\|(?:sudo )?tee (?:-a )?/etc/(?:passwd|shadow|sudoers)",
            r"useradd [^\n]*(?:-o [^\n]*-u ?0|-u ?0 [^\n]*-o)|usermod [^\n]*-u ?0\b",
            r"sudo (?:-u root )?(?:vim|find|awk|less|nmap|env|python3?|perl)[^\n]*(?:!/bin/(?:ba)?sh|-exec /bin/(?:ba)?sh|os\.system\(\"/bin/(?:ba)?sh|exec \"/bin/(?:ba)?sh)",
            r"ld_preload=[^\n]*/tmp/[^\n]*(?:sudo|su\b|passwd)|setcap cap_setuid",
        ),
        taught=True,
    ),
    Attack(
        "hidden code",
        0.94,
        (
            r"\b(?:exec|eval)\((?:compile\()?(?:\w+\.)*(?:b64decode|b32decode|b85decode|a85decode|decodebytes|decompress|unhexlify|fromhex|loads|decode)\(",
            r"\b(?:exec|eval)\((?:compile\()?(?:__import__\(|bytes\.fromhex|codecs\.decode|zlib\.|marshal\.loads|base64\.|lzma\.|gzip\.|bz2\.|binascii\.|atob\(|buffer\.from\()",
            r"\b(?:exec|eval)\(\"\"\.join\((?:map\(chr|\[?chr\()|(?:exec|eval)\(string\.fromcharcode",
            r"\b(?:exec|eval)\([^\n]*(?:\[::-1\]\)|rot.?13)",
            r"\b(?:exec|eval)\((?:requests\.get|urllib\.request\.urlopen|urlopen|httpx\.get)\(",
            r"(?:os\.system|os\.popen|subprocess\.\w+)\([^\n]*(?:b64decode|fromhex|unhexlify|codecs\.decode)\(",
            r"__import__\(\"(?:os|subprocess|pty|ctypes)\"\)\.(?:system|popen|exec\w*|call|run|check_output|spawn|getoutput|cdll)",
            r"__import__\((?:\"\"\.join|chr\(|bytes|base64|\"[^\"]*\"\[::-1\])|getattr\(__import__\(\"(?:os|subprocess|pty|ctypes)",
            r"base64 (?:-d|--decode|-di|-d -i)\"?\|(?:sudo )?(?:ba|z|da)?sh\b|openssl enc -d[^\n]*\|(?:ba)?sh",
            r"xxd -r -p\|(?:ba)?sh|\b(?:rev|tr [^\n|]*)\|(?:ba)?sh\b",
            r"powershell[^\n]*-e(?:nc|ncodedcommand|c)? [a-z0-9+/=]{20,}|iex\(?(?:\(?new-object net\.webclient\)?\.downloadstring|\(?iwr)",
            r"(?:curl|wget) [^\n]*https?://(?:\d{1,3}\.){3}\d{1,3}[^\n]*\|(?:sudo )?(?:ba|z)?sh\b",
            r"pickle\.loads\((?:base64|bytes\.fromhex|codecs|zlib|b\"c(?:os|posix)|b\"\\x80)|cos\nsystem",
            r"(?:os\.system|subprocess\.\w+|popen)\(\[?\"(?:curl|wget) [^\n]*\|(?:ba)?sh",
        ),
        taught=True,
    ),
    Attack(
        "staying after the run",
        0.94,
        (
            r"(?:crontab -|/etc/cron[\w.]*/|/var/spool/cron)[^\n]*{lines}(?:curl|wget|nc |/dev/tcp|bash -i|python3? -c|base64 -d)",
            r"(?:curl|wget|nc |/dev/tcp|bash -i|base64 -d|python3? /tmp/)[^\n]*\|crontab -|\* \* \* \* \*[^\n]*(?:/dev/tcp|curl[^\n]*\|(?:ba)?sh|wget[^\n]*\|(?:ba)?sh|nc -)",
            r"(?:echo|printf) \"?(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2)[^\n]*>> ?\S*/?\.?ssh/authorized_keys",
            r"open\([^\n]*authorized_keys\"[^\n]*\"[aw]|authorized_keys\"\)?\.(?:write|open\(\"[aw])",
            r">> ?\S*(?:\.bashrc|\.profile|\.zshrc|/etc/rc\.local|/etc/profile)[^\n]*(?:/dev/tcp|nc |curl[^\n]*\|)|(?:/dev/tcp|bash -i|curl[^\n]*\|(?:ba)?sh|nc -e)[^\n]*>> ?\S*(?:\.bashrc|\.profile|\.zshrc|rc\.local)",
            r"hkcu\\[^\n]*currentversion\\run|schtasks /create[^\n]*(?:powershell|cmd|http)",
            r"execstart=[^\n]*(?:/dev/tcp|nc -e|bash -i|curl[^\n]*\|)",
            r"(?:>>?|\btee (?:-a )?|open\(\") ?/etc/ld\.so\.preload",
        ),
    ),
    Attack(
        "looking around the network",
        0.88,
        (
            r"\b(?:nmap|masscan|zmap) [^\n]*{internal}\d{1,3}\.\d{1,3}/(?:8|1[0-9]|2[0-3])",
            r"\bmasscan [^\n]*-p ?(?:0-65535|1-65535|\d)",
            r"(?:for \w+ in range\([^\n]*{lines})(?:connect(?:_ex)?\(\(|create_connection\(\()[^\n]*{internal}",
            r"{internal}[^\n]*{lines}for \w+ in range\([^\n]*{lines}(?:connect_ex|create_connection|\.connect)\(",
            r"for \w+ in range\(1,(?:254|255|256)\)[^\n]*{lines}(?:ping|connect|requests\.get|urlopen|create_connection)[^\n]*",
            r"for \w+ in ?(?:ipaddress\.(?:ip_network|ipv4network)\(|\$\(seq 1 25[45]\)|\{1\.\.25[45]\})[^\n]*{lines}(?:ping|connect|nc |curl|create_connection|requests)",
            r"\bnc (?:-\w+ )*-z\w* (?:-\w+ \d* ?)*{internal}",
            r"\barp-scan|\bresponder -i|\bettercap|\bhydra -[ll] |\bsqlmap -u|crackmapexec|impacket",
        ),
    ),
)
