#pragma once

#include <concepts>
#include <exception>
#include <string_view>

namespace squall::web {

class RequestHandler;
struct ErrorPage;

// The page of an exception, for Settings::serve_traceback (WEB-205), as HTML or JSON. It has the status, the
// exception and those nested in it with their types, and the request; for a TemplateError also the file, line
// and column, and the line of the template. It has no stack: C++ has left the functions between `throw` and
// the framework when the framework sees an exception.
//
// Security:  of headers that may have credentials or a session, only the names are shown; of the request's
//            target, only the path.
ErrorPage make_debug_page(const RequestHandler& handler, int status, std::string_view reason,
                          const std::exception_ptr& error);

// Whether error pages show exceptions; converts from bool. Only a program that makes one from a bool links
// the code of such pages.
class DebugPages {
 public:
  DebugPages() = default;
  template <std::same_as<bool> Bool>
  DebugPages(Bool are_shown)  // NOLINT(google-explicit-constructor)
      : make_(are_shown ? &make_debug_page : nullptr) {}

  // The function that makes a page; null if exceptions are not shown.
  decltype(&make_debug_page) function() const noexcept { return make_; }

 private:
  decltype(&make_debug_page) make_ = nullptr;
};

}  // namespace squall::web
