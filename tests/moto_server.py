"""A stand-in of AWS, moto 5.2.5: prints its port and serves until it is killed.

Run by the interpreter of a virtual environment of its own, ``.venv/moto``.
"""

import sys
import threading

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
sys.stdout.write(f"{server.get_host_and_port()[1]}\n")
sys.stdout.flush()
threading.Event().wait()
