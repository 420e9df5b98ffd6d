#pragma once

// HTTP messages, a server for them and clients: all of http/ that a program uses.

#include <squall/http/accept.h>
#include <squall/http/async_http_client.h>
#include <squall/http/body_writer.h>
#include <squall/http/content_decoder.h>
#include <squall/http/cookie.h>
#include <squall/http/cookie_jar.h>
#include <squall/http/date.h>
#include <squall/http/etag.h>
#include <squall/http/exchange.h>
#include <squall/http/form.h>
#include <squall/http/function_delegate.h>
#include <squall/http/header_lines.h>
#include <squall/http/header_params.h>
#include <squall/http/headers.h>
#include <squall/http/http_client.h>
#include <squall/http/http_client_error.h>
#include <squall/http/http_connection.h>
#include <squall/http/http_input_error.h>
#include <squall/http/http_message_delegate.h>
#include <squall/http/http_request.h>
#include <squall/http/http_response.h>
#include <squall/http/http_server.h>
#include <squall/http/http_server_connection_delegate.h>
#include <squall/http/multipart.h>
#include <squall/http/query.h>
#include <squall/http/range.h>
#include <squall/http/request.h>
#include <squall/http/response.h>
#include <squall/http/serve.h>
#include <squall/http/server_delegate.h>
#include <squall/http/simple_http_client.h>
#include <squall/http/status.h>
#include <squall/http/url.h>
#include <squall/iostream.h>
