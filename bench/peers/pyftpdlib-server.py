"""pyftpdlib for the benchmark: one process, its event loop, sendfile. Arguments: root, port, certificate and key in PEM."""

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

root, port, pem = sys.argv[1:4]
try:
    from pyftpdlib.handlers import TLS_FTPHandler as Handler

    Handler.certfile = pem
except ImportError:
    Handler = FTPHandler

logging.disable(logging.CRITICAL)
authorizer = DummyAuthorizer()
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
