#pragma once

#include <squall/http/server/exchange.h>

#include <exception>
#include <string>
#include <string_view>

namespace squall::web {

// Logs an exception of a handler (WEB-64). An HTTPError with a message, and bad input of the client, are a
// warning; an HTTPError without a message is not logged; others are an error, with the request.
void log_failure(const http::Exchange& exchange, const std::exception_ptr& error);

// Logs the exception that is being handled, with the name of the hook that threw it.
void log_uncaught_in(std::string_view hook) noexcept;

}  // namespace squall::web
