"""The gateway under gunicorn: its start, application, worker, request and response buffers, stream loop."""
