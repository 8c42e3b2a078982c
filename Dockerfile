# syntax=docker/dockerfile:1

# Packages come from the hashed lock and from nowhere else. Pip's cache and the build tools stay behind.
FROM python:3.11-slim AS packages
RUN python -m venv /srv/venv
COPY requirements/production.txt /tmp/production.txt
RUN /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement /tmp/production.txt \
    && /srv/venv/bin/pip check

FROM python:3.11-slim AS portal
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GUNICORN_BIND=0.0.0.0:8000
RUN groupadd --gid 10001 credportal \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin credportal
COPY --from=packages /srv/venv /srv/venv
WORKDIR /srv/credportal
COPY manage.py gunicorn.conf.py ./
COPY credportal credportal
COPY templates templates
COPY static static
# Collecting the static files needs settings, but none of these values stays in the image.
RUN CREDPORTAL_MODE=demo \
    SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    DATABASE_URL=sqlite://:memory: \
    python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q credportal

# The portal writes nothing but its database and, in memory, gunicorn's heartbeat files:
# the root file system may be read-only.
USER 10001:10001
EXPOSE 8000
# Gunicorn finishes the requests in flight on SIGTERM, within its graceful_timeout of 20 seconds.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:%s/healthz' % os.environ['GUNICORN_BIND'].rpartition(':')[2], timeout=4)"]
CMD ["gunicorn", "--config", "gunicorn.conf.py", "credportal.wsgi:application"]
