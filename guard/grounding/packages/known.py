"""Well-known packages, in order of use, and the modules that are not called like their distribution.

The lists (`data/*.txt`, best known first) were written by hand; they say what is usual, not what exists.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from .naming import normalized

Registry = Literal["pypi", "npm"]

_DATA = Path(__file__).with_name("data")

DISTRIBUTIONS: dict[str, str] = {
    "cv2": "opencv-python",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "skopt": "scikit-optimize",
    "surprise": "scikit-surprise",
    "bs4": "beautifulsoup4",
    "dotenv": "python-dotenv",
    "dateutil": "python-dateutil",
    "jwt": "pyjwt",
    "jose": "python-jose",
    "Crypto": "pycryptodome",
    "Cryptodome": "pycryptodomex",
    "nacl": "pynacl",
    "OpenSSL": "pyopenssl",
    "serial": "pyserial",
    "usb": "pyusb",
    "can": "python-can",
    "bluetooth": "pybluez",
    "git": "gitpython",
    "github": "pygithub",
    "gitlab": "python-gitlab",
    "docx": "python-docx",
    "pptx": "python-pptx",
    "fitz": "pymupdf",
    "pymupdf": "pymupdf",
    "PyPDF2": "pypdf2",
    "attr": "attrs",
    "attrs": "attrs",
    "google": "googleapis-common-protos",
    "google.protobuf": "protobuf",
    "google.auth": "google-auth",
    "google.oauth2": "google-auth",
    "google.api_core": "google-api-core",
    "google.rpc": "googleapis-common-protos",
    "google.generativeai": "google-generativeai",
    "google.genai": "google-genai",
    "google_auth_oauthlib": "google-auth-oauthlib",
    "googleapiclient": "google-api-python-client",
    "apiclient": "google-api-python-client",
    "grpc": "grpcio",
    "grpc_tools": "grpcio-tools",
    "azure.storage.blob": "azure-storage-blob",
    "MySQLdb": "mysqlclient",
    "mysql": "mysql-connector-python",
    "psycopg2": "psycopg2-binary",
    "pymongo": "pymongo",
    "bson": "pymongo",
    "gridfs": "pymongo",
    "ldap": "python-ldap",
    "memcache": "python-memcached",
    "cx_Oracle": "cx-oracle",
    "kafka": "kafka-python",
    "stomp": "stomp-py",
    "zmq": "pyzmq",
    "websocket": "websocket-client",
    "socketio": "python-socketio",
    "engineio": "python-engineio",
    "multipart": "python-multipart",
    "rest_framework": "djangorestframework",
    "corsheaders": "django-cors-headers",
    "environ": "django-environ",
    "debug_toolbar": "django-debug-toolbar",
    "allauth": "django-allauth",
    "storages": "django-storages",
    "crispy_forms": "django-crispy-forms",
    "django_filters": "django-filter",
    "import_export": "django-import-export",
    "phonenumber_field": "django-phonenumber-field",
    "guardian": "django-guardian",
    "channels": "channels",
    "decouple": "python-decouple",
    "magic": "python-magic",
    "slugify": "python-slugify",
    "Levenshtein": "levenshtein",
    "telegram": "python-telegram-bot",
    "telebot": "pytelegrambotapi",
    "discord": "discord-py",
    "slack": "slackclient",
    "sentry_sdk": "sentry-sdk",
    "pkg_resources": "setuptools",
    "setuptools": "setuptools",
    "_pytest": "pytest",
    "pylab": "matplotlib",
    "mpl_toolkits": "matplotlib",
    "tensorflow_hub": "tensorflow-hub",
    "faiss": "faiss-cpu",
    "whisper": "openai-whisper",
    "llama_cpp": "llama-cpp-python",
    "lightning": "lightning",
    "ignite": "pytorch-ignite",
    "igraph": "igraph",
    "community": "python-louvain",
    "umap": "umap-learn",
    "hdbscan": "hdbscan",
    "imblearn": "imbalanced-learn",
    "shapefile": "pyshp",
    "osgeo": "gdal",
    "gdal": "gdal",
    "ephem": "ephem",
    "Bio": "biopython",
    "rdkit": "rdkit",
    "wx": "wxpython",
    "gi": "pygobject",
    "cairo": "pycairo",
    "OpenGL": "pyopengl",
    "pygame": "pygame",
    "RPi": "rpi-gpio",
    "smbus": "smbus",
    "board": "adafruit-blinka",
    "busio": "adafruit-blinka",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "win32con": "pywin32",
    "win32gui": "pywin32",
    "pythoncom": "pywin32",
    "pywintypes": "pywin32",
    "clr": "pythonnet",
    "vlc": "python-vlc",
    "speech_recognition": "speechrecognition",
    "gtts": "gtts",
    "pyaudio": "pyaudio",
    "Xlib": "python-xlib",
    "nmap": "python-nmap",
    "whois": "python-whois",
    "dns": "dnspython",
    "OpenEXR": "openexr",
    "pydantic_settings": "pydantic-settings",
    "markdown": "markdown",
    "markdown_it": "markdown-it-py",
    "mdit_py_plugins": "mdit-py-plugins",
    "pythonjsonlogger": "python-json-logger",
    "ruamel": "ruamel-yaml",
    "hcl2": "python-hcl2",
    "tree_sitter": "tree-sitter",
    "Xlsx": "xlsxwriter",
    "xlsxwriter": "xlsxwriter",
    "ics": "ics",
    "airflow": "apache-airflow",
    "pyspark": "pyspark",
    "flask_sqlalchemy": "flask-sqlalchemy",
    "jinja2": "jinja2",
    "werkzeug": "werkzeug",
    "zope": "zope-interface",
    "keycloak": "python-keycloak",
    "onelogin": "python3-saml",
    "ratelimit": "ratelimit",
    "unidecode": "unidecode",
    "rapidjson": "python-rapidjson",
    "snappy": "python-snappy",
    "lzo": "python-lzo",
    "antlr4": "antlr4-python3-runtime",
    "pysam": "pysam",
    "talib": "ta-lib",
    "binance": "python-binance",
    "sage": "sagemath-standard",
    "Quartz": "pyobjc-framework-quartz",
    "objc": "pyobjc-core",
    "AppKit": "pyobjc-framework-cocoa",
    "Foundation": "pyobjc-framework-cocoa",
    "tkinterdnd2": "tkinterdnd2",
    "compose": "docker-compose",
    "consul": "python-consul",
    "etcd": "python-etcd",
    "jenkins": "python-jenkins",
    "ibm_db": "ibm-db",
    "flask_jwt_extended": "flask-jwt-extended",
    "pydub": "pydub",
    "barcode": "python-barcode",
    "box": "python-box",
    "benedict": "python-benedict",
    "statemachine": "python-statemachine",
    "crontab": "python-crontab",
    "gnupg": "python-gnupg",
    "semantic_release": "python-semantic-release",
    "pysnmp": "pysnmp",
    "frontmatter": "python-frontmatter",
    "editor": "python-editor",
    "openid": "python3-openid",
    "social_django": "social-auth-app-django",
    "social_core": "social-auth-core",
    "pygments": "pygments",
    "IPython": "ipython",
    "ipykernel": "ipykernel",
    "jupyter_client": "jupyter-client",
    "nbformat": "nbformat",
    "graphql": "graphql-core",
    "strawberry": "strawberry-graphql",
    "elasticsearch_dsl": "elasticsearch-dsl",
    "opensearchpy": "opensearch-py",
    "qdrant_client": "qdrant-client",
    "sentence_transformers": "sentence-transformers",
    "huggingface_hub": "huggingface-hub",
    "torch_geometric": "torch-geometric",
    "pytorch_lightning": "pytorch-lightning",
    "xgboost": "xgboost",
    "psd_tools": "psd-tools",
    "mypy_extensions": "mypy-extensions",
    "typing_extensions": "typing-extensions",
    "more_itertools": "more-itertools",
    "importlib_metadata": "importlib-metadata",
    "importlib_resources": "importlib-resources",
    "fake_useragent": "fake-useragent",
    "user_agents": "user-agents",
    "edge_tts": "edge-tts",
}
"""By module, dotted where packages share the first part.  Of several distributions the usual one."""


@cache
def ranks(registry: Registry) -> dict[str, int]:
    """Well-known names with their places, from 0; Python's normalized."""
    text = (_DATA / f"{registry}.txt").read_text(encoding="utf-8")
    return {name: place for place, name in enumerate(text.split())}


@cache
def _modules() -> dict[str, str]:
    """Modules of the well-known distributions that are called like them."""
    usual = {name.replace("-", "_"): name for name in ranks("pypi")}
    return {**usual, **{name.lower(): distribution for name, distribution in DISTRIBUTIONS.items()}}


def distribution_of(module: str) -> str:
    """The distribution to install for a dotted module: from our table, or a well-known one of that name.

    Empty where neither says: most modules are called like their distribution, but that proves nothing.
    """
    parts = module.split(".")
    for size in range(len(parts), 0, -1):
        found = DISTRIBUTIONS.get(".".join(parts[:size]))
        if found and (size > 1 or len(parts) == 1 or parts[0] != "google"):
            return found
    if parts[0] in ("google", "azure") and len(parts) > 1:
        for size in range(len(parts), 1, -1):
            name = normalized("-".join(parts[:size]))
            if name in ranks("pypi"):
                return name
        return ""
    return _modules().get(parts[0].lower(), "") if parts[0].islower() else _modules().get(parts[0], "")
