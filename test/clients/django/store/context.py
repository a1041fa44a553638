"""For whom a request or a job works."""
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def working_for(token):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT steward.tenant_login(%s)", [token])
        yield


class SayForWhom:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with working_for(request.headers["Authorization"]):
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response
