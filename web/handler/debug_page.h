#pragma once

#include <squall/web/handler/error_page.h>
#include <squall/web/handler/request_handler.h>

#include <exception>
#include <string_view>

namespace squall::web {

// The page of an exception, for Settings::serve_traceback (WEB-205): the status, the exception and those
// nested in it with their types, and the request, as HTML or JSON. It has no stack: C++ has left the functions
// between `throw` and the framework when the framework sees an exception.
//
// Security:  of headers that may have credentials or a session, only the names are shown; of the request's
//            target, only the path.
ErrorPage make_debug_page(const RequestHandler& handler, int status, std::string_view reason,
                          const std::exception_ptr& error);

}  // namespace squall::web
