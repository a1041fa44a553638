import os

SECRET_KEY = "shop"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "store.views"
INSTALLED_APPS = ["store"]
MIDDLEWARE = ["store.context.SayForWhom"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "ATOMIC_REQUESTS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
