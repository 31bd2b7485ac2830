"""Drives a server with the package kasm (PyPI): user, image, session from request to gone."""

import os
import time

from kasm.connections import connections
from kasm.images import Image
from kasm.sessions import Session
from kasm.users import User

connections.configure(
    default={
        "scheme": "http",
        "host": "127.0.0.1",
        "port": int(os.environ["PORT"]),
        "key": os.environ["KEY"],
        "secret": os.environ["SECRET"],
    }
)

user = User.create(
    username="ada@example.com",
    password="a good password 7",
    first_name="Ada",
    last_name="Lovelace",
)
assert User.get(username="ada@example.com").user_id == user.user_id
assert user.user_id in [u.user_id for u in User.all()]
print("user", user.user_id)

image = next(i for i in Image.all() if i.friendly_name == "Terminal")
print("image", image.image_id)

session = Session.request(user, image)
print("requested", session.session_id, session.status)
until = time.monotonic() + 20
while session.status != "running":
    assert time.monotonic() < until, session.status
    time.sleep(0.05)
    session = session.update_status()
url = session.url()
print("running", url)
assert f"/#/connect/kasm/{session.session_id}/{user.user_id}/" in url, url
assert session.image.image_id == image.image_id
assert session.expiration_date > session.start_date

assert session.session_id in [s.session_id for s in Session.all()]
before = session.expiration_date
session = session.keepalive()
assert session.expiration_date >= before
session.execute("touch /tmp/x", "/tmp")
session.destroy()
until = time.monotonic() + 20
while any(s.session_id == session.session_id for s in Session.all()):
    assert time.monotonic() < until, "still there"
    time.sleep(0.05)
user.delete()
print("destroyed")
