"""What secrets look like: one frozen record per token format, as its issuer documents it.

Most issuers put a fixed prefix in front so that tokens can be found; those rules need nothing else.
Where a format is only so many characters, the rule wants the issuer's name on the line before it
(`context`).  Keywords are looked for first, in lower case: a text without them costs no regex.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .verdict import Action

_W = r"[0-9A-Za-z_-]"  # base64url
_A = r"[0-9A-Za-z]"
_HEX = r"[0-9a-f]"
_LEFT = r"(?<![0-9A-Za-z_-])"
_RIGHT = r"(?![0-9A-Za-z_-])"


@dataclass(frozen=True, slots=True)
class SecretRule:
    """One format.  The secret is group `secret` of `pattern`, or the whole match."""

    id: str
    issuer: str
    """For the sentence a person reads."""
    keywords: tuple[str, ...]
    """Lower case; one of them has to occur in the text for the pattern to be tried."""
    pattern: re.Pattern[str]
    min_entropy: float = 0.0
    """Bits per character of the secret, Shannon; filters words and fill-ins."""
    action: Action = Action.WITHHOLD


def _prefixed(
    rule_id: str, issuer: str, keyword: str | tuple[str, ...], body: str, min_entropy: float = 3.0
) -> SecretRule:
    """A token that is recognised by its beginning alone."""
    keywords = (keyword,) if isinstance(keyword, str) else keyword
    pattern = re.compile(_LEFT + f"(?:{body})" + _RIGHT)
    return SecretRule(rule_id, issuer, keywords, pattern, min_entropy)


def _named(rule_id: str, issuer: str, names: str, body: str, min_entropy: float = 3.0) -> SecretRule:
    """A token without a telling beginning, assigned to something called after its issuer."""
    pattern = re.compile(
        rf"(?i:{names})[\w.\-\[\]\"' ]{{0,40}}?(?::=|=>|=|:|,|\()\s*[\"'`]?"
        rf"(?P<secret>{_LEFT}(?:{body}){_RIGHT})"
    )
    return SecretRule(rule_id, issuer, tuple(names.split("|")), pattern, min_entropy)


_CLOUD = (
    _prefixed(
        "aws-access-key",
        "AWS access key",
        ("akia", "asia", "abia", "acca"),
        r"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}",
    ),
    SecretRule(
        "aws-secret-key",
        "AWS secret access key",
        ("aws", "secretaccesskey", "secret_access_key", "secret_key", "akia", "asia"),
        re.compile(
            r"(?:(?i:aws|secret_?access_?key|secret_?key)[^\n]{0,60}?|A(?:KIA|SIA)[A-Z2-7]{16}[\s\S]{0,120}?)"
            r"[\"'`=:\s](?P<secret>(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{40}(?![0-9A-Za-z+/=]))"
        ),
        4.2,
    ),
    _prefixed("google-api-key", "Google API key", "aiza", rf"AIza{_W}{{35}}"),
    _prefixed("google-oauth-secret", "Google OAuth client secret", "gocspx-", rf"GOCSPX-{_W}{{28}}"),
    _prefixed("google-access-token", "Google OAuth access token", "ya29.", r"ya29\.[0-9A-Za-z_-]{30,}"),
    SecretRule(
        "azure-storage-key",
        "Azure storage account key",
        ("accountkey", "account_key"),
        re.compile(r"(?i:account_?key)[\"']?\s*[=:]\s*[\"']?(?P<secret>[0-9A-Za-z+/]{86}==)"),
        4.0,
    ),
    SecretRule(
        "azure-client-secret",
        "Azure AD client secret",
        ("q~",),
        re.compile(r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])"),
        3.5,
    ),
    _prefixed(
        "digitalocean", "DigitalOcean token", ("dop_v1_", "doo_v1_", "dor_v1_"), rf"do[opr]_v1_{_HEX}{{64}}"
    ),
    _prefixed("heroku", "Heroku API key", "hrku-", rf"HRKU-{_W}{{36,65}}"),
    _named("heroku-uuid", "Heroku API key", "heroku", rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"),
    _prefixed("databricks", "Databricks token", "dapi", rf"dapi{_HEX}{{32}}(?:-\d)?"),
    _prefixed("alibaba", "Alibaba Cloud access key", "ltai", rf"LTAI{_A}{{16,20}}", 3.3),
    _prefixed("terraform-cloud", "Terraform Cloud token", ".atlasv1.", rf"{_A}{{14}}\.atlasv1\.{_W}{{60,}}"),
    _prefixed("vault", "HashiCorp Vault token", ("hvs.", "hvb.", "hvr."), rf"hv[sbr]\.{_W}{{24,}}"),
    _named("vault-legacy", "HashiCorp Vault token", "vault", rf"s\.{_A}{{24}}", 3.5),
    _prefixed(
        "doppler",
        "Doppler token",
        "dp.",
        rf"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{{2,35}}\.)?{_A}{{40,44}}",
    ),
    _prefixed("pulumi", "Pulumi access token", "pul-", rf"pul-{_HEX}{{40}}"),
    _prefixed("planetscale", "PlanetScale credential", "pscale_", r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32,64}"),
    _prefixed("supabase", "Supabase token", "sbp_", rf"sbp_{_HEX}{{40}}"),
    _prefixed(
        "tailscale",
        "Tailscale key",
        "tskey-",
        rf"tskey-(?:auth|api|client|scim|webhook)-{_A}{{8,}}-{_A}{{16,}}",
    ),
    _prefixed("fly", "Fly.io token", ("fm2_", "fo1_"), r"fo1_[\w-]{43}|fm2_[0-9A-Za-z+/]{100,}={0,2}"),
)

_CODE = (
    _prefixed(
        "github", "GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), rf"gh[pousr]_{_A}{{36,251}}"
    ),
    _prefixed(
        "github-fine-grained",
        "GitHub fine-grained token",
        "github_pat_",
        rf"github_pat_{_A}{{22}}_{_A}{{59}}",
    ),
    _prefixed(
        "gitlab",
        "GitLab token",
        (
            "glpat-",
            "gldt-",
            "glrt-",
            "glptt-",
            "glcbt-",
            "glft-",
            "glsoat-",
            "glimt-",
            "glagent-",
            "gloas-",
            "glffct-",
        ),
        rf"gl(?:pat|dt|rt|ptt|cbt|ft|soat|imt|agent|oas|ffct)-{_W}{{20,}}(?:\.[0-9a-z]{{2}}\.[0-9a-z]{{7,9}})?",
    ),
    _prefixed("bitbucket", "Bitbucket app password", "atbb", rf"ATBB{_A}{{28,36}}"),
    _prefixed("atlassian", "Atlassian API token", ("atatt3", "atctt3"), r"AT[AC]TT3[\w=-]{100,}"),
    _prefixed("npm", "npm access token", "npm_", rf"npm_{_A}{{36}}"),
    _prefixed("pypi", "PyPI upload token", "pypi-", rf"pypi-Ag{_W}{{64,}}"),
    _prefixed("rubygems", "RubyGems API key", "rubygems_", rf"rubygems_{_HEX}{{48}}"),
    _prefixed("crates-io", "crates.io token", "cio", rf"cio{_A}{{32}}", 3.5),
    _prefixed("docker-hub", "Docker Hub token", ("dckr_pat_", "dckr_oat_"), rf"dckr_[po]at_{_W}{{27,}}"),
    _prefixed("postman", "Postman API key", "pmak-", rf"PMAK-{_HEX}{{24}}-{_HEX}{{34}}"),
    _prefixed(
        "sentry", "Sentry token", ("sntryu_", "sntrys_"), r"sntryu_[0-9a-f]{64}|sntrys_eyJ[\w+/=-]{60,}"
    ),
    _prefixed("new-relic", "New Relic key", "nrak-", r"NRAK-[0-9A-Z]{27}"),
    _prefixed(
        "grafana",
        "Grafana token",
        ("glsa_", "glc_"),
        rf"glsa_{_A}{{32}}_[0-9A-Fa-f]{{8}}|glc_eyJ[0-9A-Za-z+/=]{{40,}}",
    ),
    _prefixed(
        "linear", "Linear API key", ("lin_api_", "lin_oauth_"), rf"lin_api_{_A}{{40}}|lin_oauth_{_HEX}{{64}}"
    ),
    _prefixed("notion", "Notion token", ("ntn_", "secret_"), rf"ntn_{_A}{{43,50}}|secret_{_A}{{43}}", 3.8),
    _prefixed("figma", "Figma token", "figd_", rf"figd_{_W}{{40,}}"),
    _prefixed("airtable", "Airtable token", "pat", rf"pat{_A}{{14}}\.{_HEX}{{64}}"),
)

_AI = (
    _prefixed(
        "openai",
        "OpenAI API key",
        ("t3blbkfj", "sk-proj-", "sk-svcacct-", "sk-admin-"),
        rf"sk-(?:{_W}{{16,90}}T3BlbkFJ{_W}{{20,90}}|(?:proj|svcacct|admin)-{_W}{{40,200}})",
    ),
    _prefixed("anthropic", "Anthropic API key", "sk-ant-", rf"sk-ant-[a-z]+\d{{2}}-{_W}{{60,}}"),
    _prefixed("hugging-face", "Hugging Face token", ("hf_", "api_org_"), rf"(?:hf|api_org)_{_A}{{34}}"),
    _prefixed("groq", "Groq API key", "gsk_", rf"gsk_{_A}{{52}}"),
    _prefixed("xai", "xAI API key", "xai-", rf"xai-{_A}{{80}}"),
    _prefixed("perplexity", "Perplexity API key", "pplx-", rf"pplx-{_A}{{48}}"),
    _prefixed("replicate", "Replicate token", "r8_", rf"r8_{_A}{{37}}"),
)

_MESSAGES_AND_MONEY = (
    _prefixed(
        "slack",
        "Slack token",
        ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe", "xapp-", "xoxc-", "xoxd-"),
        rf"(?:xoxe\.)?xox[abceprs]-(?:\d-)?{_A}{{8,}}(?:-{_A}{{8,}}){{1,4}}|xoxe-\d-{_A}{{60,}}|xapp-\d-[A-Z0-9]{{9,13}}-\d{{10,14}}-[0-9a-f]{{64}}",
        2.8,
    ),
    SecretRule(
        "slack-webhook",
        "Slack webhook",
        ("hooks.slack.com",),
        re.compile(
            r"hooks\.slack\.com/(?:services/T\w{6,}/B\w{6,}/\w{18,}|(?:workflows|triggers)/[\w/-]{30,})"
        ),
        3.0,
    ),
    _prefixed("discord-bot", "Discord bot token", ".", rf"[MNO]{_W}{{23,27}}\.{_W}{{6}}\.{_W}{{27,40}}", 4.0),
    SecretRule(
        "discord-webhook",
        "Discord webhook",
        ("discord.com/api/webhooks", "discordapp.com/api/webhooks"),
        re.compile(r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,}"),
        3.5,
    ),
    _prefixed("telegram-bot", "Telegram bot token", ":aa", rf"\d{{8,10}}:AA{_W}{{33}}"),
    _prefixed("twilio-api-key", "Twilio API key", "sk", rf"SK{_HEX}{{32}}"),
    _named("twilio-auth-token", "Twilio auth token", "twilio", rf"{_HEX}{{32}}"),
    _prefixed("sendgrid", "SendGrid API key", "sg.", rf"SG\.{_W}{{22}}\.{_W}{{43}}"),
    _named(
        "mailgun",
        "Mailgun API key",
        "mailgun|mg_api_key",
        rf"(?:key-)?{_HEX}{{32}}(?:-{_HEX}{{8}}-{_HEX}{{8}})?",
    ),
    _prefixed("mailgun-key", "Mailgun API key", "key-", rf"key-{_HEX}{{32}}"),
    _prefixed("mailchimp", "Mailchimp API key", "-us", rf"{_HEX}{{32}}-us\d{{1,2}}"),
    _prefixed(
        "stripe",
        "Stripe live key",
        ("_live_", "whsec_"),
        rf"(?:sk|rk)_live_{_A}{{20,247}}|whsec_[0-9A-Za-z+/]{{32,}}",
    ),
    SecretRule(
        "stripe-test",
        "Stripe test key",
        ("_test_",),
        re.compile(_LEFT + rf"(?:sk|rk)_test_{_A}{{20,247}}" + _RIGHT),
        3.0,
        Action.ANNOTATE,
    ),
    _prefixed(
        "square",
        "Square credential",
        ("sq0atp-", "sq0csp-", "eaaa"),
        rf"sq0atp-{_W}{{22}}|sq0csp-{_W}{{43}}|EAAA{_W}{{60}}",
        3.5,
    ),
    _prefixed(
        "shopify",
        "Shopify token",
        ("shpat_", "shpca_", "shppa_", "shpss_"),
        r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",
    ),
    _prefixed(
        "braintree",
        "Braintree access token",
        "access_token$",
        rf"access_token\$production\${_A}{{16}}\${_HEX}{{32}}",
    ),
    _prefixed("mapbox", "Mapbox secret token", "sk.eyj", r"sk\.eyJ[\w-]{60,}\.[\w-]{20,}"),
    _prefixed("dropbox", "Dropbox token", "sl.", rf"sl\.(?:u\.)?{_W}{{130,}}"),
)

_KEYS = (
    SecretRule(
        "private-key",
        "private key",
        ("private key",),
        # The marker alone stands in any code that reads keys; a key has a body, perhaps with `\n` spelt out.
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:\\n|\\r|[\s\"'+\\]|[A-Za-z-]+: [^\n]*\n)*"
            r"(?P<secret>[0-9A-Za-z+/=]{24}[0-9A-Za-z+/=\s\\\"']*)"
        ),
        3.5,
    ),
    _prefixed(
        "age-key",
        "age secret key",
        "age-secret-key-1",
        r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    ),
    SecretRule(
        "url-password",
        "password in a connection URL",
        ("://",),
        re.compile(
            r"\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@\"'`<>{}$%]{0,80}:(?P<secret>[^\s/@\"'`<>{}$]{6,120})@"
            r"(?!(?:[\w-]+\.)*example\.(?:com|org|net)\b|(?:[\w-]+\.)*(?:test|invalid|example)\b)"
            r"[\w.\[-]"
        ),
        2.5,
    ),
    SecretRule(
        "jwt",
        "JSON web token",
        ("eyj",),
        re.compile(_LEFT + r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}" + _RIGHT),
        3.5,
        Action.ANNOTATE,
    ),
    SecretRule(
        "generic-credential",
        "credential",
        ("secret", "token", "passw", "api_key", "apikey", "api-key", "access_key", "auth"),
        re.compile(
            r"(?i:secret|token|passw(?:or)?d|api[_-]?key|access[_-]?key|auth[_-]?key)"
            r"[\w.\-\[\]\"']{0,30}?\s*(?::=|=>|=|:)\s*[\"'](?P<secret>[0-9A-Za-z+/_=.~-]{20,120})[\"']"
        ),
        3.7,
        Action.ANNOTATE,
    ),
)

RULES: tuple[SecretRule, ...] = _CLOUD + _CODE + _AI + _MESSAGES_AND_MONEY + _KEYS
