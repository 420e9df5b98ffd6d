#pragma once

// HTTP messages, a server for them and clients: all of http/ that a program uses.

#include <squall/http/async_http_client.h>
#include <squall/http/body_writer.h>
#include <squall/http/exchange.h>
#include <squall/http/headers.h>
#include <squall/http/http_client_error.h>
#include <squall/http/http_request.h>
#include <squall/http/http_response.h>
#include <squall/http/http_server.h>
#include <squall/http/query.h>
#include <squall/http/request.h>
#include <squall/http/server_delegate.h>
#include <squall/http/simple_http_client.h>
#include <squall/http/status.h>
#include <squall/iostream.h>
