#pragma once

// The web framework: all of web/ that a program uses.

#include <squall/http.h>
#include <squall/web/application.h>
#include <squall/web/http_error.h>
#include <squall/web/path_args.h>
#include <squall/web/request_handler.h>
#include <squall/web/url.h>
