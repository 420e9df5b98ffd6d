#pragma once

#include <squall/http/server/response.h>
#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/process/executor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace squall::web {

// A copy of a request, for a function on another thread.
struct BlockingRequest {
  std::string method;
  std::string target;    // as sent: `/users/1?full=1`
  std::string path;      // percent-decoded
  std::string query;     // not decoded
  std::string protocol;  // `http` or `https`
  int minor_version = 1;
  std::string host;
  std::string remote_ip;
  std::vector<std::pair<std::string, std::string>> headers;  // as sent
  std::string body;
};

// The request as CGI programs get it (WSG-03): REQUEST_METHOD, SCRIPT_NAME (empty), PATH_INFO, QUERY_STRING,
// REMOTE_ADDR, SERVER_NAME, SERVER_PORT, SERVER_PROTOCOL, `url_scheme`, CONTENT_TYPE and CONTENT_LENGTH if
// the request has them, and HTTP_ variables. Of several fields of a name, the values are joined by commas. A
// field whose name has an underscore is left out: another field would have the same variable (as nginx).
std::map<std::string, std::string> cgi_variables(const BlockingRequest& request);

// A target of routes, or a server's delegate, for functions that block: each request is answered on a thread
// of an executor (WSG-01).
//
//     url("/report/.*", web::blocking(&make_report))
//     url(".*", web::blocking(&old_site, pool)).named("old")
//
// The whole body is collected before the call, and the whole response before it is sent. If the client goes
// away before the function begins, the function is not called; a function that runs goes on, and its response
// is dropped. A response without Content-Type gets `text/html; charset=UTF-8`, unless its status is 304
// (WSG-02). The access log has a line for each request.
//
// Thread:    the function runs on several threads at a time if the executor has several.
// Lifetime:  the delegate owns the function; a call that runs keeps the function alive. The executor outlives
//            the delegate; by default the executor is the loop's.
// Errors:    an exception of the function, and ExecutorFullError, is logged and answered with 500.
using BlockingFunction = std::function<http::ServerResponse(const BlockingRequest& request)>;
std::shared_ptr<http::ServerDelegate> blocking(BlockingFunction function);
std::shared_ptr<http::ServerDelegate> blocking(BlockingFunction function, Executor& executor);

}  // namespace squall::web
