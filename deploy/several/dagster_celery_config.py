"""How a Celery worker works: read by ``celery -A dagster_celery.app worker``.

It is found because its folder is on PYTHONPATH. ``dagster-celery worker start`` writes a file of
this name, too, and puts its folder behind PYTHONPATH's own: there is nothing to give it by ``-y``,
which leaves the broker as it was.
"""

import os

broker_url = os.environ["DAGSTER_CELERY_BROKER"]
result_backend = os.environ["DAGSTER_CELERY_BACKEND"]

worker_concurrency = int(os.environ.get("DAGSTER_WORKER_PROCESSES", "2"))  # runs at once
# A task is a whole run, which may take hours. What a busy worker has fetched ahead would wait for
# it beside idle ones, and fail after start_timeout_seconds.
worker_prefetch_multiplier = 1
worker_disable_prefetch = True
# A task is taken off the queue as it begins. Were it done at the end, Redis would give a long run
# to another worker after visibility_timeout, while it runs.
task_acks_late = False
task_default_queue = "dagster"
task_track_started = True
result_expires = 7 * 86400  # seconds; Dagster asks for the state of a run as long as it runs

worker_max_tasks_per_child = 50  # what a process has grown by goes back to the machine
worker_hijack_root_logger = False
worker_redirect_stdouts = False
broker_connection_retry_on_startup = True
broker_transport_options = {"visibility_timeout": 86400, "socket_keepalive": True}
