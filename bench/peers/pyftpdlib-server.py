"""pyftpdlib for the benchmark: one process, its event loop, sendfile.

Arguments: root, port, certificate and key in PEM, a user and the hash of his password.
"""

import ctypes
import hmac
import logging
import sys

from pyftpdlib.authorizers import AuthenticationFailed, DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

root, port, pem, user, hashed = sys.argv[1:6]
try:
    from pyftpdlib.handlers import TLS_FTPHandler as Handler

    Handler.certfile = pem
except ImportError:
    Handler = FTPHandler

crypt = ctypes.CDLL("libcrypt.so.1").crypt
crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
crypt.restype = ctypes.c_char_p


class Authorizer(DummyAuthorizer):
    """Guests, and one user whose password is kept as a hash: Python has no crypt of its own any more."""

    def validate_authentication(self, username, password, handler):
        if username != user:
            return super().validate_authentication(username, password, handler)
        found = crypt(password.encode(), hashed.encode())
        if found is None or not hmac.compare_digest(found, hashed.encode()):
            raise AuthenticationFailed("Authentication failed.")


logging.disable(logging.CRITICAL)
authorizer = Authorizer()
authorizer.add_user(user, "", root, perm="elradfmwMT")
authorizer.add_anonymous(root, perm="elradfmwMT")
Handler.authorizer = authorizer
Handler.use_sendfile = True
Handler.timeout = 3600
Handler.passive_ports = range(20000, 30000)
Handler.banner = "bench"
server = FTPServer(("127.0.0.1", int(port)), Handler, backlog=4096)
server.max_cons = 100000
server.max_cons_per_ip = 0
server.serve_forever()
