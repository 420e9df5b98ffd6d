#pragma once

// Streams and servers: all of iostream/ that a program uses.

#include <squall/ioloop.h>
#include <squall/iostream/address.h>
#include <squall/iostream/bind_sockets.h>
#include <squall/iostream/bind_unix_socket.h>
#include <squall/iostream/caching_resolver.h>
#include <squall/iostream/cares_resolver.h>
#include <squall/iostream/connect_error.h>
#include <squall/iostream/connect_socket.h>
#include <squall/iostream/errors.h>
#include <squall/iostream/happy_eyeballs.h>
#include <squall/iostream/iostream.h>
#include <squall/iostream/listen_fds.h>
#include <squall/iostream/network.h>
#include <squall/iostream/override_resolver.h>
#include <squall/iostream/pipe.h>
#include <squall/iostream/proxy_protocol.h>
#include <squall/iostream/regex.h>
#include <squall/iostream/resolver.h>
#include <squall/iostream/socket.h>
#include <squall/iostream/subprocess.h>
#include <squall/iostream/system_resolver.h>
#include <squall/iostream/tcp_client.h>
#include <squall/iostream/tcp_server.h>
#include <squall/iostream/tcp_server_options.h>
#include <squall/iostream/tls_certificate.h>
#include <squall/iostream/tls_context.h>
#include <squall/iostream/tls_error.h>
#include <squall/iostream/tls_options.h>
#include <squall/iostream/tls_stream.h>
#include <squall/iostream/tls_transport.h>
#include <squall/iostream/transport.h>
#include <squall/iostream/unix_address.h>
