"""Commands that destroy, or run what they fetch: in scripts, in strings given to a shell, in comments.

`commands_in` works on any text, so that answers in a chat can be judged too; the check judges
suggestions.  What would do harm if run is withheld; what only may, or is only talked about in a
comment, is noted.  Text is read, never run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .verdict import Action, Passage, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Command:
    """A harmful command on `[start, end)` of a text."""

    rule: str
    start: int
    end: int
    what: str
    """What it does: `it …`."""
    action: Action


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    what: str
    pattern: re.Pattern[str]
    words: tuple[str, ...]
    action: Action = Action.WITHHOLD


_START = (
    r"(?:(?<=^)|(?<=[\n;&|({`\"'$]))[ \t]*(?:[$#>%][ \t]+)?(?:(?:sudo"
    r"|doas|env|exec|nohup|command|then|do|RUN|time)[ \t]+(?:-\w+[ \t]+)*)*"
)
"""Where a command may begin: a line, a separator, a quote, a prompt; after what runs another command."""

_ROOTS = (
    r"(?:etc|usr|bin|sbin|lib|lib64|boot|var|home|root|opt|dev|sys"
    r"|proc|srv|System|Library|Users|Applications)"
)
_GONE = (
    r"(?:/|/\*|/\.\*?|~/?|~/\*|\$\{?HOME\}?/?|\$\{?HOME\}?/\*|\$HOME/\.\*"
    r"|[A-Z]:\\+\*?|%(?:USERPROFILE|SystemRoot|SystemDrive)%\\*"
    rf"|/{_ROOTS}/?|/{_ROOTS}/\*)"
)
_DEVICE = r"/dev/(?:r?disk\d|sd[a-z]|hd[a-z]|nvme\d|vd[a-z]|xvd[a-z]|mmcblk\d|mapper/|md\d)\w*"
_FETCH = (
    r"(?:curl|wget|fetch|aria2c|http|lwp-download)\b[^\n|;&]*?(?:https?:"
    r"|ftp:|\$|\b[\w-]+\.\w{2,}/|[\"'])[^\n|;]*?"
)
_SHELL = (
    r"(?:(?:sudo|env|exec)[ \t]+(?:-\w+[ \t]+)*)*(?:/(?:usr/)?bin/)?(?:ba"
    r"|z|da|k|a|fi)?sh\b|(?:sudo[ \t]+)?(?:python[\d.]*|perl|ruby"
    r"|node|php)\b"
)
_VENDORS = re.compile(
    r"https://(?:sh\.rustup\.rs|get\.docker\.com|install\.python-poetry\.org"
    r"|astral\.sh|bun\.sh|deno\.land|get\.pnpm\.io|get\.sdkman\.io"
    r"|deb\.nodesource\.com|rpm\.nodesource\.com|raw\.githubusercontent\.com/(?:Homebrew"
    r"|nvm-sh|ohmyzsh|helm|pyenv)/|get\.helm\.sh|pyenv\.run"
    r"|bootstrap\.pypa\.io|get\.k3s\.io|tailscale\.com|ollama\.com|starship\.rs"
    r"|nixos\.org|fly\.io|cli\.github\.com|sdk\.cloud\.google\.com)"
)
"""Whose installers everybody fetches and runs like that: noted only."""


def _rule(rule_id: str, what: str, pattern: str, *words: str, note: bool = False) -> _Rule:
    return _Rule(rule_id, what, re.compile(pattern), words, Action.ANNOTATE if note else Action.WITHHOLD)


_RULES = (
    _rule(
        "delete-all",
        "deletes a whole system or home directory",
        rf"\brm[ \t]+(?:-[\w-]+[ \t]+)*-(?:\w*[rR]\w*|-recursive)[ \t]+(?:-[\w-]+[ \t]+)*(?:--[ \t]+)?"
        rf"[\"']?{_GONE}[\"']?(?:/?\*)?(?=[\s;&|\"'`)]|$)"
        r"|--no-preserve-root|\bfind[ \t]+(?:/|~|\$HOME)/?[ \t]+(?:-[\w]+[ \t]+[^\n]*)?-delete"
        r"|\bmv[ \t]+(?:/|~|\$HOME)/?\*?[ \t]+/dev/null"
        r"|(?i:\b(?:del|rd|rmdir)[ \t]+(?:/[a-z][ \t]+)*/s[ \t]+(?:/[a-z][ \t]+)*\"?[a-z]:\\(?:\*"
        r"|windows|users)?)|(?i:\bformat[ \t]+[c-z]:(?:[ \t]|$))"
        r"|(?i:Remove-Item\b[^\n]*(?:-Recurse[^\n]*|[ \t])(?:[A-Z]:\\\*?"
        r"|\$HOME|\$env:USERPROFILE|~)(?=[\s\"';]|$)[^\n]*)",
        *("rm", "no-preserve-root", "-delete", "/dev/null", "del ", "rd ", "rmdir", "format", "remove-item"),
    ),
    _rule(
        "delete-variable",
        "deletes the root directory when its variable is empty",
        r"\brm[ \t]+(?:-\w+[ \t]+)*-\w*[rR]\w*[ \t]+(?:-\w+[ \t]+)*\"?\$(?!\{?HOME\b)(?:\w+"
        r"|\{\w+\})\"?/(?:\*)?\"?(?=[\s;&|`)]|$)",
        "rm",
        note=True,
    ),
    _rule(
        "overwrite-disk",
        "overwrites a disk",
        rf"\bdd\b[^\n;|]*\bof=[\"']?{_DEVICE}|\bmkfs(?:\.\w+)?[ \t]+(?:-\S+[ \t]+(?:\S+[ \t]+)?)*[\"']?"
        rf"/dev/\w|(?:>|>>|\btee[ \t]+)[ \t]*{_DEVICE}|\b(?:shred|wipefs"
        rf"|blkdiscard)\b[^\n;|]*{_DEVICE}"
        rf"|\bcp\b[^\n;|]*[ \t]{_DEVICE}[ \t]*$",
        *("dd ", "mkfs", "/dev/"),
    ),
    _rule(
        "fork-bomb",
        "starts itself until the machine stops",
        r":\(\)[ \t]*\{[ \t]*:[ \t]*\|[ \t]*:[ \t]*&?[ \t]*\}[ \t]*;?[ \t]*:"
        r"|\b(\w+)\(\)[ \t]*\{[ \t]*\1[ \t]*\|[ \t]*\1[ \t]*&[ \t]*\}[ \t]*;?[ \t]*\1"
        r"|%0[ \t]*\|[ \t]*%0",
        "(){",
        "() {",
        "()  {",
        "%0",
    ),
    _rule(
        "open-to-all",
        "changes the rights of a whole system",
        rf"\bch(?:mod|own)[ \t]+(?:-\w*R\w*[ \t]+(?:-\S+[ \t]+)*\S+|\S+[ \t]+-\w*R\w*)[ \t]+[\"']?(?:/"
        rf"|/\*|~/?|\$HOME/?|/{_ROOTS}/?)[\"']?(?=[\s;&|\"'`)]|$)",
        *("chmod", "chown"),
    ),
    _rule(
        "fetch-and-run",
        "runs what it fetches from the network, unseen",
        rf"{_FETCH}\|[ \t]*(?:[^\n|]{{0,60}}\|[ \t]*)?(?:{_SHELL})|\b(?:ba"
        rf"|z|da)?sh[ \t]+(?:-\w+[ \t]+)*(?:-c[ \t]+)?[\"']?(?:\$\(|`"
        rf"|<\([ \t]*)[ \t]*(?:curl|wget)\b[^\n]*"
        r"|(?:\bsource|(?<![\w.])\.|\beval|python3?[ \t]+-c)[ \t]+[\"']?(?:<\("
        r"|\$\(|`)[ \t]*(?:curl|wget)\b[^\n]*"
        r"|\b(?:curl|wget)\b[^\n]*-[oO][ \t]*(?P<file>[^\s;&|\"']+)[^\n]*(?:&&"
        r"|;)[^\n]*(?:(?:\bsh|\bbash|chmod[ \t]+\S+)[ \t]+[^\n;&]*(?P=file)"
        r"|(?:&&|;)[ \t]*(?:sudo[ \t]+)?(?P=file))"
        r"|(?i:(?:iwr|irm|Invoke-WebRequest|Invoke-RestMethod|curl|wget)\b[^\n|]*\|[ \t]*(?:iex"
        r"|Invoke-Expression)\b)"
        r"|(?i:\b(?:iex|Invoke-Expression)\b[ \t]*\(?[^\n]*(?:DownloadString"
        r"|iwr\b|irm\b|Invoke-WebRequest|Invoke-RestMethod|Net\.WebClient)[^\n]*)"
        r"|(?i:\bbitsadmin\b[^\n]*/transfer[^\n]*|\bmshta[ \t]+https?:\S+"
        r"|\bcertutil\b[^\n]*-urlcache[^\n]*https?:\S+|\bregsvr32\b[^\n]*/i:https?:\S+)",
        *(
            "curl",
            "wget",
            "fetch",
            "aria2c",
            "http",
            "iwr",
            "irm",
            "invoke-",
            "iex",
            "bitsadmin",
            "mshta",
            "certutil",
        ),
    ),
    _rule(
        "decode-and-run",
        "runs a command that it hides from its reader",
        rf"(?:base64[ \t]+(?:-d|-D|--decode)|xxd[ \t]+-r(?:[ \t]+-p)?"
        rf"|openssl[ \t]+(?:base64|enc)[^\n|]*-d|\brev|tr[ \t]+[\"'][^\n|]*)[^\n|;]*\|[ \t]*(?:{_SHELL}"
        rf")(?![\w/.-]*\.)"
        r"|\beval[ \t]+[\"']?(?:\$\(|`)[^\n]*(?:base64[ \t]+(?:-d|-D"
        r"|--decode)|xxd[ \t]+-r)|\b(?:ba)?sh[ \t]+(?:-c[ \t]+[\"']?\$\("
        r"|<\()[^\n]*base64[ \t]+(?:-d|--decode)"
        r"|(?i:powershell(?:\.exe)?[ \t][^\n]*-e(?:nc|ncodedcommand|c)?[ \t]+[A-Za-z0-9+/=]{20,})",
        *("base64", "xxd", "openssl", "rev", "tr ", "powershell"),
    ),
    _rule(
        "reverse-shell",
        "gives a shell to another machine",
        r"/dev/(?:tcp|udp)/[^\s/]+/\S+[^\n]*(?:[<>]&|\bsh\b|exec)|\b(?:ba"
        r"|z|k)?sh[ \t]+-i[^\n]*/dev/(?:tcp|udp)/|\bexec[ \t]+\d+<>[ \t]*/dev/tcp/\S+"
        r"|\b(?:nc|ncat|netcat)\b[^\n|;]*[ \t]-\w*[ec]\w*[ \t]+[\"']?(?:/bin/"
        r"|/usr/bin/)?(?:ba|z)?sh\b|\bmkfifo\b[^\n]*\|[^\n]*\b(?:nc|ncat"
        r"|netcat|openssl|telnet)\b[^\n]*"
        r"|\bsocat\b[^\n]*exec:[^\n]*sh\b|\bsocat\b[^\n]*EXEC:[^\n]*sh\b",
        *("/dev/tcp", "/dev/udp", "nc", "mkfifo", "socat"),
    ),
    _rule(
        "covers-tracks",
        "deletes the history of what was run",
        _START + r"(?:history[ \t]+-[cw]{1,2}\b|unset[ \t]+HISTFILE\b|(?:export[ \t]+)?HIST(?:FILE=(?:/dev/nu"
        r"ll|[\"']{0,2}(?=[\s;]|$))|(?:FILE)?SIZE=0\b)|(?:rm|shred"
        r"|truncate|ln)\b[^\n;]*\.(?:bash|zsh|python)_history|(?:cat[ \t]+/dev/null[ \t]*"
        r"|:[ \t]*|echo[ \t]+[\"']*[ \t]*)?>[ \t]*(?:~|\$HOME)?/?\.(?:bash"
        r"|zsh)_history|(?:rm|shred|truncate)\b[^\n;]*[ \t]/var/log(?:/\*"
        r"|[ \t/]*$|/(?:auth|syslog|wtmp|secure))|Clear-EventLog|wevtutil[ \t]+cl)",
        *("hist", "/var/log", "eventlog", "wevtutil"),
    ),
    _rule(
        "breaks-system",
        "stops or breaks the machine",
        r">[ \t]*/etc/(?:passwd|shadow|sudoers|fstab)\b|\brm[ \t]+[^\n;|]*/etc/(?:passwd"
        r"|shadow|fstab|sudoers)\b|\bkill[ \t]+-(?:9|KILL)[ \t]+-1\b"
        r"|>[ \t]*/proc/sysrq-trigger"
        r"|\becho\b[^\n]*ALL=\(ALL(?::ALL)?\)[ \t]*NOPASSWD:[ \t]*ALL[^\n]*/etc/sudoers"
        r"|\bchmod[ \t]+(?:[u+]*s|[24567]7\d\d|\+s)[ \t]+/(?:usr/)?bin/\w*sh\b",
        *("/etc/", "kill", "sysrq", "chmod"),
    ),
    _rule(
        "force-push",
        "overwrites the history of a branch others work on",
        r"\bgit[ \t]+push\b(?=[^\n;&|]*[ \t](?:-f\b|--force\b(?!-with-lease)"
        r"|--mirror\b|\+(?:main|master)\b))[^\n;&|]*\b(?:main|master"
        r"|trunk|develop|production|release)\b",
        "push",
        note=True,
    ),
    _rule(
        "opens-machine",
        "switches off what protects this machine",
        _START + r"(?:iptables[ \t]+-F\b|setenforce[ \t]+0\b|ufw[ \t]+disable\b"
        r"|crontab[ \t]+-r\b|systemctl[ \t]+(?:stop|disable|mask)[ \t]+(?:--now[ \t]+)?(?:firewalld"
        r"|apparmor|auditd|ufw)\b|csrutil[ \t]+disable|spctl[ \t]+--master-disable"
        r"|docker[ \t]+run\b[^\n]*(?:-v|--volume)[ \t=]+/:/|Set-MpPreference[ \t]+-Disable\w+)",
        *(
            "iptables",
            "setenforce",
            "ufw",
            "crontab",
            "systemctl",
            "csrutil",
            "spctl",
            "docker",
            "mppreference",
        ),
        note=True,
    ),
)
_WORDS = frozenset(word for rule in _RULES for word in rule.words)
_COMMENT = re.compile(r"[ \t]*(?:#(?!!)|//|/?\*|--[ \t]|;;|<!--|\"\"\"|'''|%)")
_SHELL_IDS = frozenset(
    {"shellscript", "bash", "sh", "zsh", "fish", "powershell", "bat", "dockerfile", "makefile"}
)
MAX_LINE_CHARS = 2_000
"""Of a line: longer ones are data, and are read no further."""


def commands_in(text: str) -> tuple[Command, ...]:
    """Every harmful command in `text`, whatever it is written in, in order; one per place."""
    found: list[Command] = []
    lower = text.lower()
    rules = [rule for rule in _RULES if any(word in lower for word in rule.words)]
    if rules:
        for start, line in _lines(text):
            for rule in rules:
                for match in rule.pattern.finditer(line):
                    action = rule.action
                    if rule.id == "fetch-and-run" and _VENDORS.search(match[0]):
                        action = Action.ANNOTATE
                    begin = match.start() + len(match[0]) - len(match[0].lstrip())
                    found.append(Command(rule.id, start + begin, start + match.end(), rule.what, action))
    return tuple(sorted(found, key=lambda one: (one.start, one.rule)))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines, with those that a backslash continues put together, and where each begins."""
    start = 0
    for one in re.finditer(r"(?:[^\n\\]|\\[\s\S]|\\$)*(?:\n|$)", text):
        start = one.start()
        line = one[0].rstrip("\n").replace("\\\r\n", "  \t").replace("\\\n", "  ")
        if line.strip():
            yield start, line[:MAX_LINE_CHARS]


class ShellCheck:
    """Withholds or notes harmful commands, wherever in a suggestion they stand."""

    name = "shell"

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        line_start = passage.before.rfind("\n") + 1
        typed = passage.before[line_start:]
        found: list[Verdict] = []
        for one in commands_in(typed + passage.suggestion):
            if one.end <= len(typed):
                continue
            talked_about = self._is_comment(typed + passage.suggestion, one.start, passage.language)
            found.append(
                Verdict(
                    kind="safety",
                    action=Action.ANNOTATE if talked_about else one.action,
                    rule=f"shell/{one.rule}",
                    start=max(one.start - len(typed), 0),
                    end=one.end - len(typed),
                    evidence=f"the suggestion contains a command that {one.what}",
                    cwe="CWE-78" if one.rule.endswith("-run") else "CWE-73",
                )
            )
        return tuple(found)

    def _is_comment(self, text: str, at: int, language: str) -> bool:
        line = text[text.rfind("\n", 0, at) + 1 : at]
        if language.lower() in ("markdown", "plaintext"):
            return False
        return _COMMENT.match(line) is not None and not (
            language.lower() in _SHELL_IDS and line.strip() == ""
        )
