"""TLS by Python's ssl module, for clients and servers that the test plays itself."""
import socket
import ssl
import warnings
from concurrent.futures import ThreadPoolExecutor

from .sockets import TIMEOUT, connect

V1_0, V1_1 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def _strict(context):
    """Python takes any end for a complete one unless told otherwise."""
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def client_context(root=None, version=None, lowest=None, ciphers=None, certificate=None, alpn=()):
    """Of a client that trusts `root`, or anyone; `version` is the newest, and the oldest if `lowest` is not given."""
    context = _strict(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    if not root:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.load_verify_locations(root)
    if version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = lowest or version, version
        if version < V1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
    if ciphers:
        context.set_ciphers(ciphers)
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def tls_connect(port, name, context, source=None, session=None):
    """A connection whose handshake is done; a FIN without close_notify is an ssl.SSLError."""
    sock = connect(port, source=source)
    try:
        return context.wrap_socket(sock, server_hostname=name, session=session, suppress_ragged_eofs=False)
    except BaseException:
        sock.close()
        raise


class TlsServer:
    """With an Origin: accepts one connection and shakes hands beside the test, which plays the rest."""

    def __init__(self, origin, certificate):
        context = _strict(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        context.load_cert_chain(certificate.chain, certificate.key)
        self._pool = ThreadPoolExecutor(1)
        self._accepting = self._pool.submit(
            lambda: context.wrap_socket(origin.accept(), server_side=True, suppress_ragged_eofs=False))

    def accepted(self):
        return self._accepting.result(TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown()
        if not self._accepting.exception():
            self.accepted().close()


def end_without_close_notify(sock):
    """A FIN at once, as from a server that dies in mid-sentence."""
    plain = socket.socket(fileno=sock.detach())
    plain.shutdown(socket.SHUT_WR)
    return plain
