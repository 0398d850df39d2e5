"""What secrets look like: one frozen record per token format, as its issuer documents it.

Most issuers put a fixed prefix in front so that tokens can be found; those rules need nothing else.
Where a format is only so many characters, the rule wants the issuer's name on the line before it.
Keywords are looked for first, in lower case: a text without them costs no regex.
"""

from __future__ import annotations

import re

from ..verdict import Action
from .generic import GENERIC
from .record import ALNUM, HEX, LEFT, RIGHT, URL_SAFE, SecretRule, named, prefixed

_CLOUD = (
    prefixed(
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
    prefixed("google-api-key", "Google API key", "aiza", rf"AIza{URL_SAFE}{{35}}"),
    prefixed("google-oauth-secret", "Google OAuth client secret", "gocspx-", rf"GOCSPX-{URL_SAFE}{{28}}"),
    prefixed("google-access-token", "Google OAuth access token", "ya29.", r"ya29\.[0-9A-Za-z_-]{30,}"),
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
    prefixed(
        "digitalocean", "DigitalOcean token", ("dop_v1_", "doo_v1_", "dor_v1_"), rf"do[opr]_v1_{HEX}{{64}}"
    ),
    prefixed("heroku", "Heroku API key", "hrku-", rf"HRKU-{URL_SAFE}{{36,65}}"),
    named("heroku-uuid", "Heroku API key", "heroku", rf"{HEX}{{8}}(?:-{HEX}{{4}}){{3}}-{HEX}{{12}}"),
    prefixed("databricks", "Databricks token", "dapi", rf"dapi{HEX}{{32}}(?:-\d)?"),
    prefixed("alibaba", "Alibaba Cloud access key", "ltai", rf"LTAI{ALNUM}{{16,20}}", 3.3),
    prefixed(
        "terraform-cloud", "Terraform Cloud token", ".atlasv1.", rf"{ALNUM}{{14}}\.atlasv1\.{URL_SAFE}{{60,}}"
    ),
    prefixed("vault", "HashiCorp Vault token", ("hvs.", "hvb.", "hvr."), rf"hv[sbr]\.{URL_SAFE}{{24,}}"),
    named("vault-legacy", "HashiCorp Vault token", "vault", rf"s\.{ALNUM}{{24}}", 3.5),
    prefixed(
        "doppler",
        "Doppler token",
        "dp.",
        rf"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{{2,35}}\.)?{ALNUM}{{40,44}}",
    ),
    prefixed("pulumi", "Pulumi access token", "pul-", rf"pul-{HEX}{{40}}"),
    prefixed("planetscale", "PlanetScale credential", "pscale_", r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32,64}"),
    prefixed("supabase", "Supabase token", "sbp_", rf"sbp_{HEX}{{40}}"),
    prefixed(
        "tailscale",
        "Tailscale key",
        "tskey-",
        rf"tskey-(?:auth|api|client|scim|webhook)-{ALNUM}{{8,}}-{ALNUM}{{16,}}",
    ),
    prefixed("fly", "Fly.io token", ("fm2_", "fo1_"), r"fo1_[\w-]{43}|fm2_[0-9A-Za-z+/]{100,}={0,2}"),
)

_CODE = (
    prefixed(
        "github", "GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), rf"gh[pousr]_{ALNUM}{{36,251}}"
    ),
    prefixed(
        "github-fine-grained",
        "GitHub fine-grained token",
        "github_pat_",
        rf"github_pat_{ALNUM}{{22}}_{ALNUM}{{59}}",
    ),
    prefixed(
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
        rf"gl(?:pat|dt|rt|ptt|cbt|ft|soat|imt|agent|oas|ffct)-{URL_SAFE}{{20,}}(?:\.[0-9a-z]{{2}}\.[0-9a-z]{{7,9}})?",
    ),
    prefixed("bitbucket", "Bitbucket app password", "atbb", rf"ATBB{ALNUM}{{28,36}}"),
    prefixed("atlassian", "Atlassian API token", ("atatt3", "atctt3"), r"AT[AC]TT3[\w=-]{100,}"),
    prefixed("npm", "npm access token", "npm_", rf"npm_{ALNUM}{{36}}"),
    prefixed("pypi", "PyPI upload token", "pypi-", rf"pypi-Ag{URL_SAFE}{{64,}}"),
    prefixed("rubygems", "RubyGems API key", "rubygems_", rf"rubygems_{HEX}{{48}}"),
    prefixed("crates-io", "crates.io token", "cio", rf"cio{ALNUM}{{32}}", 3.5),
    prefixed("docker-hub", "Docker Hub token", ("dckr_pat_", "dckr_oat_"), rf"dckr_[po]at_{URL_SAFE}{{27,}}"),
    prefixed("postman", "Postman API key", "pmak-", rf"PMAK-{HEX}{{24}}-{HEX}{{34}}"),
    prefixed(
        "sentry", "Sentry token", ("sntryu_", "sntrys_"), r"sntryu_[0-9a-f]{64}|sntrys_eyJ[\w+/=-]{60,}"
    ),
    prefixed("new-relic", "New Relic key", "nrak-", r"NRAK-[0-9A-Z]{27}"),
    prefixed(
        "grafana",
        "Grafana token",
        ("glsa_", "glc_"),
        rf"glsa_{ALNUM}{{32}}_[0-9A-Fa-f]{{8}}|glc_eyJ[0-9A-Za-z+/=]{{40,}}",
    ),
    prefixed(
        "linear",
        "Linear API key",
        ("lin_api_", "lin_oauth_"),
        rf"lin_api_{ALNUM}{{40}}|lin_oauth_{HEX}{{64}}",
    ),
    prefixed(
        "notion", "Notion token", ("ntn_", "secret_"), rf"ntn_{ALNUM}{{43,50}}|secret_{ALNUM}{{43}}", 3.8
    ),
    prefixed("figma", "Figma token", "figd_", rf"figd_{URL_SAFE}{{40,}}"),
    prefixed("airtable", "Airtable token", "pat", rf"pat{ALNUM}{{14}}\.{HEX}{{64}}"),
)

_AI = (
    prefixed(
        "openai",
        "OpenAI API key",
        ("t3blbkfj", "sk-proj-", "sk-svcacct-", "sk-admin-"),
        rf"sk-(?:{URL_SAFE}{{16,90}}T3BlbkFJ{URL_SAFE}{{20,90}}|(?:proj|svcacct|admin)-{URL_SAFE}{{40,200}})",
    ),
    prefixed("anthropic", "Anthropic API key", "sk-ant-", rf"sk-ant-[a-z]+\d{{2}}-{URL_SAFE}{{60,}}"),
    prefixed("hugging-face", "Hugging Face token", ("hf_", "api_org_"), rf"(?:hf|api_org)_{ALNUM}{{34}}"),
    prefixed("groq", "Groq API key", "gsk_", rf"gsk_{ALNUM}{{52}}"),
    prefixed("xai", "xAI API key", "xai-", rf"xai-{ALNUM}{{80}}"),
    prefixed("perplexity", "Perplexity API key", "pplx-", rf"pplx-{ALNUM}{{48}}"),
    prefixed("replicate", "Replicate token", "r8_", rf"r8_{ALNUM}{{37}}"),
)

_MESSAGES_AND_MONEY = (
    prefixed(
        "slack",
        "Slack token",
        ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe", "xapp-", "xoxc-", "xoxd-"),
        rf"(?:xoxe\.)?xox[abceprs]-(?:\d-)?{ALNUM}{{8,}}(?:-{ALNUM}{{8,}}){{1,4}}|xoxe-\d-{ALNUM}{{60,}}|xapp-\d-[A-Z0-9]{{9,13}}-\d{{10,14}}-[0-9a-f]{{64}}",
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
    prefixed(
        "discord-bot",
        "Discord bot token",
        ".",
        rf"[MNO]{URL_SAFE}{{23,27}}\.{URL_SAFE}{{6}}\.{URL_SAFE}{{27,40}}",
        4.0,
    ),
    SecretRule(
        "discord-webhook",
        "Discord webhook",
        ("discord.com/api/webhooks", "discordapp.com/api/webhooks"),
        re.compile(r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,}"),
        3.5,
    ),
    prefixed("telegram-bot", "Telegram bot token", ":aa", rf"\d{{8,10}}:AA{URL_SAFE}{{33}}"),
    prefixed("twilio-api-key", "Twilio API key", "sk", rf"SK{HEX}{{32}}"),
    named("twilio-auth-token", "Twilio auth token", "twilio", rf"{HEX}{{32}}"),
    prefixed("sendgrid", "SendGrid API key", "sg.", rf"SG\.{URL_SAFE}{{22}}\.{URL_SAFE}{{43}}"),
    named(
        "mailgun",
        "Mailgun API key",
        "mailgun|mg_api_key",
        rf"(?:key-)?{HEX}{{32}}(?:-{HEX}{{8}}-{HEX}{{8}})?",
    ),
    prefixed("mailgun-key", "Mailgun API key", "key-", rf"key-{HEX}{{32}}"),
    prefixed("mailchimp", "Mailchimp API key", "-us", rf"{HEX}{{32}}-us\d{{1,2}}"),
    prefixed(
        "stripe",
        "Stripe live key",
        ("_live_", "whsec_"),
        rf"(?:sk|rk)_live_{ALNUM}{{20,247}}|whsec_[0-9A-Za-z+/]{{32,}}",
    ),
    SecretRule(
        "stripe-test",
        "Stripe test key",
        ("_test_",),
        re.compile(LEFT + rf"(?:sk|rk)_test_{ALNUM}{{20,247}}" + RIGHT),
        3.0,
        Action.ANNOTATE,
        redacts=False,
    ),
    prefixed(
        "square",
        "Square credential",
        ("sq0atp-", "sq0csp-", "eaaa"),
        rf"sq0atp-{URL_SAFE}{{22}}|sq0csp-{URL_SAFE}{{43}}|EAAA{URL_SAFE}{{60}}",
        3.5,
    ),
    prefixed(
        "shopify",
        "Shopify token",
        ("shpat_", "shpca_", "shppa_", "shpss_"),
        r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",
    ),
    prefixed(
        "braintree",
        "Braintree access token",
        "access_token$",
        rf"access_token\$production\${ALNUM}{{16}}\${HEX}{{32}}",
    ),
    prefixed("mapbox", "Mapbox secret token", "sk.eyj", r"sk\.eyJ[\w-]{60,}\.[\w-]{20,}"),
    prefixed("dropbox", "Dropbox token", "sl.", rf"sl\.(?:u\.)?{URL_SAFE}{{130,}}"),
)

RULES: tuple[SecretRule, ...] = _CLOUD + _CODE + _AI + _MESSAGES_AND_MONEY + GENERIC
