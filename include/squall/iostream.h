#pragma once

// Streams and servers: all of iostream/ that a program uses.

#include <squall/ioloop.h>
#include <squall/iostream/address.h>
#include <squall/iostream/bind_sockets.h>
#include <squall/iostream/bind_unix_socket.h>
#include <squall/iostream/drain_on_signals.h>
#include <squall/iostream/errors.h>
#include <squall/iostream/iostream.h>
#include <squall/iostream/listen_fds.h>
#include <squall/iostream/network.h>
#include <squall/iostream/pipe.h>
#include <squall/iostream/proxy_protocol.h>
#include <squall/iostream/socket.h>
#include <squall/iostream/subprocess.h>
#include <squall/iostream/tcp_server.h>
#include <squall/iostream/tcp_server_options.h>
#include <squall/iostream/unix_address.h>
