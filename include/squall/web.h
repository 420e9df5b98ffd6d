#pragma once

// The web framework: all of web/ that a program uses.

#include <squall/http.h>
#include <squall/web/app/application.h>
#include <squall/web/escape/json_script.h>
#include <squall/web/escape/linkify.h>
#include <squall/web/escape/squeeze.h>
#include <squall/web/escape/unicode.h>
#include <squall/web/escape/url_escape.h>
#include <squall/web/escape/xhtml.h>
#include <squall/web/handler/argument_converter.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/json_input.h>
#include <squall/web/handler/middleware.h>
#include <squall/web/handler/multipart_reader.h>
#include <squall/web/handler/path_args.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/handler/request_local.h>
#include <squall/web/middleware/basic_auth.h>
#include <squall/web/middleware/cors.h>
#include <squall/web/middleware/rate_limit.h>
#include <squall/web/middleware/request_id.h>
#include <squall/web/middleware/security_headers.h>
#include <squall/web/output/compression.h>
#include <squall/web/output/event_hub.h>
#include <squall/web/output/event_stream.h>
#include <squall/web/output/server_sent_event.h>
#include <squall/web/routing/middleware_chain.h>
#include <squall/web/routing/url.h>
#include <squall/web/security/constant_time.h>
#include <squall/web/security/cookie_secrets.h>
#include <squall/web/security/signed_value.h>
#include <squall/web/security/xsrf_token.h>
#include <squall/web/static/mime_types.h>
#include <squall/web/static/static_file_handler.h>
#include <squall/web/static/static_url.h>
