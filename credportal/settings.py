"""All settings, read from the environment once. docs/operating.md lists every variable.

A wrong value stops the start with one line that names it, and all wrong values are
named at once. Values that parse but must not be used together, or not in production,
are system checks in ``credportal/web/checks.py``: they have ids and hints, and the
WSGI entry point refuses to start on them too.
"""

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from environs import Env, EnvValidationError
from marshmallow.validate import Length, OneOf, Range

from credportal.audit.proof import keys
from credportal.environment import (
    MAIL_PORTS,
    a_file,
    a_key_file,
    a_mail_server,
    a_password_file,
    a_principal,
    a_sender,
    a_syslog_server,
    a_time_zone,
    a_webhook,
    an_audit_key,
    an_audit_key_file,
    an_origin,
)
from credportal.web import logs

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=False)


def audit_key() -> bytes:
    """Read CREDPORTAL_AUDIT_KEY, or the file that CREDPORTAL_AUDIT_KEY_FILE names; empty where neither is set."""
    if not env.str("CREDPORTAL_AUDIT_KEY_FILE", default=""):
        text = env.str("CREDPORTAL_AUDIT_KEY", default="")
        checked = env.str("CREDPORTAL_AUDIT_KEY", validate=an_audit_key) if text else ""
    else:
        file = env.str("CREDPORTAL_AUDIT_KEY_FILE", validate=an_audit_key_file)
        checked = Path(file).read_text(encoding="utf-8") if file else ""
    return keys.private_key(checked) if checked else b""


def secret_key() -> str:
    """Read SECRET_KEY, or the file that SECRET_KEY_FILE names."""
    if not env.str("SECRET_KEY_FILE", default=""):
        return env.str("SECRET_KEY", validate=Length(min=32))
    file = env.str("SECRET_KEY_FILE", validate=a_key_file)
    # What was wrong with the file is told with the rest, below.
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


def webhook_secret() -> str:
    """Read CREDPORTAL_AUDIT_WEBHOOK_SECRET, or the file that CREDPORTAL_AUDIT_WEBHOOK_SECRET_FILE names."""
    if not env.str("CREDPORTAL_AUDIT_WEBHOOK_SECRET_FILE", default=""):
        return env.str("CREDPORTAL_AUDIT_WEBHOOK_SECRET", default="", validate=lambda key: key and Length(min=32)(key))
    file = env.str("CREDPORTAL_AUDIT_WEBHOOK_SECRET_FILE", validate=a_key_file)
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


def mail_password() -> str:
    """Read CREDPORTAL_EMAIL_PASSWORD, or the file that CREDPORTAL_EMAIL_PASSWORD_FILE names."""
    if not env.str("CREDPORTAL_EMAIL_PASSWORD_FILE", default=""):
        return env.str("CREDPORTAL_EMAIL_PASSWORD", default="")
    file = env.str("CREDPORTAL_EMAIL_PASSWORD_FILE", validate=a_password_file)
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


MODE = env.str("CREDPORTAL_MODE", default="production", validate=OneOf(["demo", "production"]))
DEMO = MODE == "demo"
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret_key()
# Signs the head of the audit; empty where nobody exports one.
AUDIT_KEY = audit_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"] if DEMO else [])
PORTAL_URL = env.str("CREDPORTAL_URL", default="http://localhost:8000" if DEMO else "", validate=an_origin)
# How many reverse proxies of ours stand in front; the client address is taken from that hop.
TRUSTED_PROXIES = env.int("CREDPORTAL_TRUSTED_PROXIES", default=0 if DEMO else -1, validate=Range(min=-1, max=9))
TIME_ZONE = env.str("CREDPORTAL_TIME_ZONE", default="UTC", validate=a_time_zone)
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))

# AWS. Credentials come from boto3's default chain and are never settings of ours.
AWS_REGION = env.str("AWS_REGION", default="eu-west-1") if DEMO else env.str("AWS_REGION", validate=Length(min=1))
AWS_ENDPOINT_URL_STS = env.str("AWS_ENDPOINT_URL_STS", default="")
AWS_ENDPOINT_URL_IAM = env.str("AWS_ENDPOINT_URL_IAM", default="")
AWS_CONSOLE_ORIGINS = [
    "https://*.aws.amazon.com",
    "https://*.amazonaws.cn",
    "https://*.amazonaws-us-gov.com",
    "https://*.amazonaws-eusc.eu",
]
# Where console sign-in asks for its token; by default AWS's own service of the role's partition.
AWS_ENDPOINT_URL_SIGNIN = env.str("AWS_ENDPOINT_URL_SIGNIN", default="")
AWS_DEADLINE_SECONDS = env.float("AWS_DEADLINE_SECONDS", default=8.0, validate=Range(min=0.2, max=20))
# As many connections as the worker has threads, so that no call waits for one.
AWS_POOL_SIZE = env.int("GUNICORN_THREADS", default=8, validate=Range(min=1, max=64))
# AWS caps a role session that assumes a further role at one hour. Say false only where the
# portal runs with an identity that does not chain: an EC2 instance profile or an IAM user.
IDENTITY_CHAINS = env.bool("CREDPORTAL_IDENTITY_CHAINS", default=True)
# The ARN that trust policies name as the portal; empty asks AWS once per worker.
PRINCIPAL = env.str("CREDPORTAL_PRINCIPAL", default="", validate=a_principal)
# Only bin/demo sets this: it goes into the snippets as AWS_ENDPOINT_URL, and into the banner.
DEMO_ENDPOINT = env.str("CREDPORTAL_DEMO_ENDPOINT", default="")

DATABASES = {"default": env.dj_db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
CACHES = {"default": env.dj_cache_url("CACHE_URL", default="db://credportal_cache")}

# Where `ship_audit` sends every event. Nobody can set these in the portal itself.
AUDIT_WEBHOOK = env.str("CREDPORTAL_AUDIT_WEBHOOK", default="", validate=a_webhook)
AUDIT_WEBHOOK_SECRET = webhook_secret()
AUDIT_SYSLOG = env.str("CREDPORTAL_AUDIT_SYSLOG", default="", validate=a_syslog_server)
AUDIT_CA_FILE = env.str("CREDPORTAL_AUDIT_CA_FILE", default="", validate=a_file)

# Notices about hand-outs. Where no server is named, none are sent.
MAIL_SERVER = env.str("CREDPORTAL_EMAIL_SERVER", default="", validate=a_mail_server)
MAIL_IS_ON = bool(MAIL_SERVER)
EMAIL_HOST_PASSWORD = mail_password()
MAIL_FROM = env.str("CREDPORTAL_EMAIL_FROM", default="", validate=a_sender)
# How long a hand-out that has ended is kept; the audit keeps its events longer.
HANDOUT_DAYS = env.int("CREDPORTAL_HANDOUT_DAYS", default=90, validate=Range(min=2, max=3650))

STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))

try:
    env.seal()
except EnvValidationError as error:
    by_name: dict[str, list[str]] = dict(error.error_messages)  # type: ignore[arg-type]  # environs gives a mapping.
    sys.exit("\n".join(f"{name}: {' '.join(texts)}" for name, texts in sorted(by_name.items())))

if CACHES["default"]["BACKEND"] == "django.core.cache.backends.db.DatabaseCache":
    # The counters of tries live here. Django keeps 300 entries and then drops some: a flood would wash them out.
    CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 100_000}

database = DATABASES["default"]
database["CONN_MAX_AGE"] = 600
database["CONN_HEALTH_CHECKS"] = True
if database["ENGINE"].endswith("sqlite3"):
    database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        # Without recursive_triggers a REPLACE would delete audit rows past their trigger.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA recursive_triggers=ON;",
    }
else:
    # A dead or locked database is an answer within seconds, never a hang.
    database["OPTIONS"] = {
        **database.get("OPTIONS", {}),
        "connect_timeout": 3,
        "options": "-c lock_timeout=5000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000",
    }

# The parts of it that Django's mail wants. A server that is silent holds up nobody for long.
_mail = urlsplit(MAIL_SERVER)
EMAIL_BACKEND = f"django.core.mail.backends.{'dummy' if not MAIL_SERVER else 'smtp'}.EmailBackend"
if _mail.scheme == "file":
    EMAIL_BACKEND, EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", unquote(_mail.path)
EMAIL_HOST, EMAIL_HOST_USER = _mail.hostname or "", unquote(_mail.username or "")
EMAIL_PORT = _mail.port or MAIL_PORTS.get(_mail.scheme, 0)
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.scheme == "smtp+starttls", _mail.scheme == "smtps"
EMAIL_TIMEOUT = 5
EMAIL_USE_LOCALTIME = False
DEFAULT_FROM_EMAIL = MAIL_FROM or f"credportal@{urlsplit(PORTAL_URL).hostname or 'localhost'}"

INSTALLED_APPS = [
    "credportal.access",
    "credportal.audit",
    "credportal.web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
]
MIDDLEWARE = [
    "credportal.web.middleware.RequestMiddleware",
    "credportal.web.middleware.ProbeMiddleware",
    # These two stand outside of SecurityMiddleware, so that its redirect to https has their headers too.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "credportal.web.claim_guard.ClaimMiddleware",
    "credportal.web.middleware.InputMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "credportal.web.rights.RightsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "credportal.web.middleware.PersonMiddleware",
]
ROOT_URLCONF = "credportal.web.urls"
WSGI_APPLICATION = "credportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "credportal.web.context.portal",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LANGUAGE_CODE = "en-gb"
USE_I18N = False
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# Sign-in: local accounts through allauth, made by an admin. Nobody signs up.
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["credportal.access.signed_in.PersonBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "roles"
ACCOUNT_ADAPTER = "credportal.web.accounts.ClosedAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PRESERVE_USERNAME_CASING = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "change_password": "5/m/user",
    "throttled": "20/5m/ip,1/5m/key",  # How often the audit tells of tries beyond these.
    "claim_look": "60/5m/ip",
    "claim_refused": "20/5m/ip",  # One more shuts the door to that address for five minutes.
}

# Cookies and headers. A session lasts a working day at most and ends with the browser.
SECURE = not DEMO
SESSION_ENGINE = "credportal.access.signed_in"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "credportal.web.views.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PORTAL_URL.rstrip("/")] if PORTAL_URL else []
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES > 0 else None
SECURE_HSTS_SECONDS = 63072000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
# Not "no-referrer": with that a browser sends "Origin: null" with every form, and no CSRF check passes. The claim
# pages have it nevertheless, see web/claim_guard.py.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONSOLE_ORIGINS = [
    *([AWS_ENDPOINT_URL_SIGNIN] if AWS_ENDPOINT_URL_SIGNIN else []),
    *([] if AWS_ENDPOINT_URL_STS and not AWS_ENDPOINT_URL_SIGNIN else AWS_CONSOLE_ORIGINS),
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # A browser checks every redirect that follows a form, and console sign-in is one.
        "form-action": ["'self'", *CONSOLE_ORIGINS],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000  # A delegation sends one for each of its roles.
FILE_UPLOAD_HANDLERS = ["credportal.web.uploads.RefuseUploads"]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING_CONFIG = "credportal.web.logs.configure"
LOGGING = {"level": LOG_LEVEL}
structlog.configure(**logs.STRUCTLOG)
