#include <squall/testing/request_options.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::testing {
namespace {

bool begins_with(std::string_view text, std::string_view prefix) noexcept {
  return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string absolute(std::string_view origin, std::string_view url_or_path) {
  if (begins_with(url_or_path, "http://") || begins_with(url_or_path, "https://"))
    return std::string(url_or_path);
  if (!url_or_path.starts_with('/'))
    throw std::invalid_argument(fmt::format("neither a URL nor a path: '{}'", url_or_path));
  return fmt::format("{}{}", origin, url_or_path);
}

// The body, and its Content-Type unless the headers have one.
void set_body(http::HTTPRequest& request, std::string body, std::string_view content_type) {
  if (request.body) throw std::invalid_argument("a request has at most one of body, json and form");
  request.body = std::move(body);
  if (!content_type.empty() && !request.headers.contains("Content-Type"))
    request.headers.add("Content-Type", content_type);
}

}  // namespace

http::HTTPRequest make_request(std::string_view origin, std::string_view url_or_path,
                               const RequestOptions& options) {
  http::HTTPRequest request(absolute(origin, url_or_path));
  request.method = options.method;
  for (const auto& [name, value] : options.headers) request.headers.add(name, value);
  if (options.body) set_body(request, *options.body, "");
  if (options.json) set_body(request, *options.json, "application/json");
  if (!options.form.empty())
    set_body(request, http::urlencode(options.form), "application/x-www-form-urlencoded");
  const std::string& method = options.method;
  if (!request.body && (method == "POST" || method == "PUT" || method == "PATCH")) request.body.emplace();
  request.allow_nonstandard_methods = method != "GET" && method != "HEAD";
  request.follow_redirects = options.follow_redirects;
  return request;
}

}  // namespace squall::testing
