#pragma once

// The web framework: all of web/ that a program uses.

#include <squall/http.h>
#include <squall/web/app/application.h>
#include <squall/web/handler/argument_converter.h>
#include <squall/web/handler/cookie_options.h>
#include <squall/web/handler/extra_methods.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/json_input.h>
#include <squall/web/handler/json_text.h>
#include <squall/web/handler/multipart_reader.h>
#include <squall/web/handler/path_args.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/routing/url.h>
