#pragma once

// HTTP messages, a server for them and clients: all of http/ that a program uses.

#include <squall/http/client/async_http_client.h>
#include <squall/http/client/http_client.h>
#include <squall/http/client/http_client_error.h>
#include <squall/http/client/http_request.h>
#include <squall/http/client/http_response.h>
#include <squall/http/client/simple_http_client.h>
#include <squall/http/codec/body_writer.h>
#include <squall/http/codec/content_decoder.h>
#include <squall/http/message/accept.h>
#include <squall/http/message/cookie.h>
#include <squall/http/message/cookie_jar.h>
#include <squall/http/message/date.h>
#include <squall/http/message/etag.h>
#include <squall/http/message/form.h>
#include <squall/http/message/header_lines.h>
#include <squall/http/message/header_params.h>
#include <squall/http/message/headers.h>
#include <squall/http/message/http_input_error.h>
#include <squall/http/message/multipart.h>
#include <squall/http/message/query.h>
#include <squall/http/message/range.h>
#include <squall/http/message/status.h>
#include <squall/http/message/url.h>
#include <squall/http/server/exchange.h>
#include <squall/http/server/function_delegate.h>
#include <squall/http/server/http_connection.h>
#include <squall/http/server/http_message_delegate.h>
#include <squall/http/server/http_server.h>
#include <squall/http/server/http_server_connection_delegate.h>
#include <squall/http/server/request.h>
#include <squall/http/server/response.h>
#include <squall/http/server/serve.h>
#include <squall/http/server/server_delegate.h>
#include <squall/iostream.h>
