#pragma once

// Streams and servers: all of iostream/ that a program uses.

#include <squall/ioloop.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/caching_resolver.h>
#include <squall/iostream/address/cares_resolver.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/address/network.h>
#include <squall/iostream/address/override_resolver.h>
#include <squall/iostream/address/resolver.h>
#include <squall/iostream/address/system_resolver.h>
#include <squall/iostream/address/unix_address.h>
#include <squall/iostream/process/subprocess.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/bind_unix_socket.h>
#include <squall/iostream/socket/connect_error.h>
#include <squall/iostream/socket/connect_socket.h>
#include <squall/iostream/socket/listen_fds.h>
#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/stream/pump.h>
#include <squall/iostream/stream/regex.h>
#include <squall/iostream/stream/transport.h>
#include <squall/iostream/tcp/drain_on_signals.h>
#include <squall/iostream/tcp/happy_eyeballs.h>
#include <squall/iostream/tcp/proxy_protocol.h>
#include <squall/iostream/tcp/tcp_client.h>
#include <squall/iostream/tcp/tcp_server.h>
#include <squall/iostream/tcp/tcp_server_options.h>
#include <squall/iostream/tls/tls_certificate.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/iostream/tls/tls_error.h>
#include <squall/iostream/tls/tls_options.h>
#include <squall/iostream/tls/tls_stream.h>
#include <squall/iostream/tls/tls_transport.h>
